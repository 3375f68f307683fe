"""Every filter, sort and cursor is tried with hostile input: 422 or nothing, never a defect, and the tables stand."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pydantic_core import from_json, to_json

from runledger.analytics.http.app import create_app
from runledger.analytics.http.settings import ApiSettings
from tests.integration.analytics.http.serving import Asker
from tests.integration.analytics.http.telling import acme_run

pytestmark = pytest.mark.integration

HOSTILE = [
    "'",
    "'; DROP TABLE agent_run; --",
    "1 OR 1=1",
    "sage') UNION SELECT secret FROM webhook --",
    "%(project_key)s %s %%",
    "$1",
    "{beyond}{order}",
    "\x00",
    "a\x00b",
    "\\x00\\u0000",
    "x" * 10_000,
    "é\u202e\U0001f4a9\ufdd0\uffff",
    "9" * 40,
    "-1",
    "0",
    "1e309",
    "NaN",
    "null",
    "[]",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:60Z",
    "../../etc/passwd",
    "posixrules",
    "UTC; SET ROLE postgres",
    "<+05>-5",
    "  ",
    "",
]
OF_ONE_RUN = [f"runs/{acme_run(1)}/events", f"runs/{acme_run(1)}/traces"]
LISTS = ["runs", *OF_ONE_RUN, "agents", "incidents", "failures"]


def parameters() -> list[tuple[str, str]]:
    """Every query parameter of every route, the public one's too, as the document has them."""
    found = []
    for path, operations in create_app(ApiSettings()).openapi()["paths"].items():
        for parameter in operations["get"].get("parameters", []):
            if parameter["in"] == "query":
                route = path.removeprefix("/api/v1/").replace("{run_id}", str(acme_run(1)))
                found.append((route, parameter["name"]))
    return found


@pytest.fixture(autouse=True, scope="module")
def untouched(uri: str) -> Iterator[None]:
    """What the tables hold is the same afterwards."""
    with psycopg.connect(uri, autocommit=True) as connection:
        before = contents(connection)
        yield
        assert contents(connection) == before


def contents(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    counted: list[tuple[Any, ...]] = []
    for table in ("agent_run", "agent_run_log", "run_event", "run_failure", "incident", "agent", "project", "api_key"):
        counted += connection.execute(
            f"SELECT '{table}', count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} AS t"  # noqa: S608  # our own names
        ).fetchall()
    return counted


@pytest.mark.parametrize(("route", "name"), parameters())
def test_a_hostile_value_is_refused_or_finds_nothing(acme: Asker, route: str, name: str) -> None:
    for value in HOSTILE:
        answer = acme.ask(route, **{name: value})
        assert answer.status_code in {200, 422}, (value, answer.text)
        if answer.status_code == 422:
            assert answer.json()["error"]["field"] == name, value


@pytest.mark.parametrize("route", [*LISTS, "costs", "audit"])
def test_an_unknown_or_repeated_parameter_is_refused_by_name(acme: Asker, route: str) -> None:
    for name in ("unknown", "Limit", "limit[]", "agent_id%00", "'", "x" * 10_000):
        status, _, field = acme.refused(route, **{name: "1"})
        assert status == 422
        assert field == name
    assert acme.get(f"/api/v1/{route}?limit=1&limit=2").json()["error"]["field"] == "limit"


@pytest.mark.parametrize(
    "path",
    [
        "runs/'",
        "runs/%00",
        "runs/00000000-0000-0000-0000-00000000000g",
        "runs/' OR 1=1 --/events",
        "failures/'",
        "failures/%00",
        f"failures/{'g' * 64}",
        f"failures/{'0' * 65}",
        "agents/%00",
        "agents/a%00b",
        "agents/",
        "agents/%20",
        f"agents/{'x' * 256}",
        "agents/%C3%28",
        "agents/'; DROP TABLE agent_run; --",
        "agents/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    ],
)
def test_a_hostile_path_is_not_found_or_refused(acme: Asker, path: str) -> None:
    assert acme.get(f"/api/v1/{path}").status_code in {404, 422}


def test_thousands_of_parameters_are_refused_at_once(acme: Asker) -> None:
    answer = acme.get("/api/v1/runs?" + "&".join(f"{number:x}" for number in range(9000)))
    assert answer.status_code == 422
    assert answer.elapsed.total_seconds() < 2


def packed(written: object) -> str:
    return base64.urlsafe_b64encode(to_json(written)).rstrip(b"=").decode()


def unpacked(cursor: str) -> list[Any]:
    written: list[Any] = from_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return written


@pytest.mark.parametrize("sort", ["-heard_at", "ended_at", "-cost_usd", "total_tokens"])
@pytest.mark.parametrize(
    "place",
    [
        [],
        ["'; DROP TABLE agent_run; --", str(acme_run(1))],
        [None, None],
        ["1e999999", str(acme_run(1))],
        [10**30, str(acme_run(1))],
        ["NaN", str(acme_run(1))],
        ["infinity", str(acme_run(1))],
        ["2026-01-01T00:00:00", str(acme_run(1))],
        [{"a": 1}, str(acme_run(1))],
        ["2026-01-01T00:00:00Z", "x"],
        ["2026-01-01T00:00:00Z", str(acme_run(1)), 1],
    ],
    ids=repr,
)
def test_a_cursor_that_was_tampered_with_is_refused(acme: Asker, sort: str, place: list[object]) -> None:
    """Its digest is right, so that the place itself is looked at."""
    cursor = acme.told("runs", sort=sort, limit=1)["next_cursor"]
    tampered = packed([unpacked(cursor)[0], *place])
    assert acme.refused("runs", sort=sort, limit=1, cursor=tampered) == (422, "invalid", "cursor")


@pytest.mark.parametrize("sort", ["-heard_at", "ended_at", "-cost_usd", "total_tokens"])
@pytest.mark.parametrize("place", ["-1", "0", "9999-12-31T23:59:59Z", "0.1", str(2**62)])
def test_a_made_up_place_is_refused_or_moves_within_ones_own_runs(acme: Asker, sort: str, place: str) -> None:
    cursor = acme.told("runs", sort=sort, limit=1)["next_cursor"]
    answer = acme.ask("runs", sort=sort, limit=1, cursor=packed([unpacked(cursor)[0], place, str(acme_run(1))]))
    assert answer.status_code in {200, 422}
    assert '"other' not in answer.text


@pytest.mark.parametrize(
    "changed", [{"sort": "heard_at"}, {"status": "failed"}, {"agent_id": "sage"}, {"since": "2026-01-01T00:00:00Z"}]
)
def test_a_cursor_of_another_question_is_refused(acme: Asker, changed: dict[str, Any]) -> None:
    cursor = acme.told("runs", limit=1)["next_cursor"]
    assert acme.told("runs", limit=2, cursor=cursor)["runs"]
    assert acme.refused("runs", limit=1, cursor=cursor, **changed) == (422, "invalid", "cursor")


@pytest.mark.parametrize("written", [{}, [], 1, ["x"], None], ids=str)
@pytest.mark.parametrize("route", LISTS)
def test_what_was_written_by_somebody_else_is_refused(acme: Asker, route: str, written: object) -> None:
    assert acme.refused(route, cursor=packed(written)) == (422, "invalid", "cursor")


@pytest.mark.parametrize("text", ["AAAA", "A", "_" * 2200, "e" * 2201], ids=["bytes", "letter", "longest", "longer"])
@pytest.mark.parametrize("route", LISTS)
def test_what_is_no_cursor_is_refused(acme: Asker, route: str, text: str) -> None:
    assert acme.refused(route, cursor=text) == (422, "invalid", "cursor")


def test_a_cursor_nested_without_measure_is_refused(acme: Asker) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 1600).rstrip(b"=").decode()
    assert acme.refused("runs", cursor=deep) == (422, "invalid", "cursor")


@pytest.mark.parametrize("since", ["5", "-1", "1772442600.5", "2026-01-01", "2026-01-01T09:00:00"])
def test_what_is_no_time_of_a_known_zone_is_refused(acme: Asker, since: str) -> None:
    """A number, too: it would be read as seconds since 1970."""
    assert acme.refused("runs", since=since) == (422, "invalid", "since")


def test_a_time_may_have_a_space_for_its_t(acme: Asker) -> None:
    assert acme.told("runs", since="2999-01-01 00:00:00Z")["runs"] == []
