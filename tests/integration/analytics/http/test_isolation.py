"""Every route is asked for another project's data: nothing comes, and nothing tells that there is any."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from runledger.analytics.http.app import create_app
from runledger.analytics.http.settings import ApiSettings
from runledger.schemas.fingerprint import fingerprint
from tests.integration.analytics.http.serving import Asker
from tests.integration.analytics.http.telling import AGENT, ERROR, SLASHED, acme_run, other_run

pytestmark = pytest.mark.integration

NOBODYS_RUN = UUID(int=1)
NOBODYS_KIND = "0" * 64
LISTS = {"runs": "runs", "failures": "failures", "incidents": "incidents", "agents": "agents"}


def private_routes() -> list[str]:
    """Every route below /api/v1 that needs a key, as the document has them."""
    paths = create_app(ApiSettings()).openapi()["paths"]
    private = (path for path in paths if path.startswith("/api/v1/") and "/public/" not in path)
    return sorted(path.removeprefix("/api/v1/") for path in private)


def filled(route: str) -> str:
    """The route, with what project acme has in its place."""
    kind = fingerprint("acme", ERROR)
    return route.format(run_id=acme_run(1), agent_id=AGENT, fingerprint=kind)


@pytest.mark.parametrize("route", private_routes())
def test_without_a_key_with_a_wrong_one_and_without_the_scope_nothing_is_said(
    url: str, keys: dict[str, str], nobody: Asker, route: str
) -> None:
    secretless = keys["acme"][:-1] + ("x" if keys["acme"][-1] != "x" else "y")
    with Asker(url, secretless) as stranger, Asker(url, keys["emitter"]) as emitter:
        answers = [asker.ask(filled(route)) for asker in (nobody, stranger, emitter)]
    assert [answer.status_code for answer in answers] == [401, 401, 403]
    assert [answer.json()["error"]["code"] for answer in answers] == ["bad_key", "bad_key", "forbidden"]
    assert all("WWW-Authenticate" in answer.headers for answer in answers[:2])


@pytest.mark.parametrize("route", private_routes())
def test_a_route_asked_for_its_own_projects_data_says_no_word_of_the_others(
    acme: Asker, other: Asker, route: str
) -> None:
    """Both tell the same story of the same agents; only the texts and ids differ."""
    answer = acme.ask(filled(route))
    assert answer.status_code == 200
    assert '"other' not in answer.text
    assert not [number for number in range(10) if str(other_run(number)) in answer.text]
    assert fingerprint("other", ERROR) not in answer.text


@pytest.mark.parametrize("route", ["runs/{}", "runs/{}/events", "runs/{}/traces"])
def test_anothers_run_is_answered_byte_for_byte_as_one_that_does_not_exist(acme: Asker, route: str) -> None:
    theirs, nobodys = (acme.ask(route.format(run_id)) for run_id in (other_run(1), NOBODYS_RUN))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content
    assert theirs.headers.keys() == nobodys.headers.keys()


def test_anothers_kind_of_failure_and_agent_are_answered_as_ones_that_do_not_exist(acme: Asker, empty: Asker) -> None:
    theirs, nobodys = (acme.ask(f"failures/{kind}") for kind in (fingerprint("other", ERROR), NOBODYS_KIND))
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    for agent in (AGENT, SLASHED):
        theirs, nobodys = (empty.ask(f"agents/{name}") for name in (agent, "no-such-agent"))
        assert (theirs.status_code, theirs.content) == (404, nobodys.content)


@pytest.mark.parametrize(
    ("route", "wanted"),
    [
        ("runs", {"parent_run_id": other_run(0)}),
        ("runs", {"agent_id": f"{AGENT}' OR project_key = 'other"}),
        ("incidents", {"agent_id": "other"}),
    ],
)
def test_a_filter_by_what_is_anothers_finds_nothing(acme: Asker, route: str, wanted: dict[str, Any]) -> None:
    assert acme.told(route, **wanted)[LISTS[route]] == []


@pytest.mark.parametrize("route", sorted(LISTS))
def test_of_a_project_without_runs_every_list_is_empty(empty: Asker, route: str) -> None:
    assert empty.told(route)[LISTS[route]] == []


@pytest.mark.parametrize("route", ["runs", "agents", "runs/{}/events", "runs/{}/traces"])
def test_anothers_cursor_is_refused(acme: Asker, other: Asker, route: str) -> None:
    theirs = other.told(route.format(other_run(1)), limit=1)["next_cursor"]
    assert theirs is not None
    for run_id in (acme_run(1), acme_run(2)):
        assert acme.refused(route.format(run_id), limit=1, cursor=theirs) == (422, "invalid", "cursor")


def test_a_project_cannot_be_named(acme: Asker) -> None:
    for name in ("project_key", "project"):
        assert acme.refused("runs", **{name: "other"}) == (422, "invalid", name)


def test_the_same_run_id_in_two_projects_is_two_runs(acme: Asker, other: Asker, uri: str) -> None:
    run_id = acme_run(1)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("UPDATE agent_run SET run_id = %s WHERE run_id = %s", [run_id, other_run(1)])
        try:
            told = [asker.told(f"runs/{run_id}")["summary"] for asker in (acme, other)]
        finally:
            connection.execute(
                "UPDATE agent_run SET run_id = %s WHERE run_id = %s AND project_key = 'other'", [other_run(1), run_id]
            )
    assert told == ["acme goes", "other goes"]
