"""The application as a whole, without any server behind it."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import httpx
import pytest
from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.testclient import TestClient

from runledger.access.errors import BadKeyError
from runledger.access.keys import SCOPES, ApiKey, Principal
from runledger.analytics.dashboard.app import create_app
from runledger.analytics.dashboard.attempts import MOST_ATTEMPTS
from runledger.analytics.dashboard.backstage import BrokerLook, LettersLook, Replay, Word, WorkerLook
from runledger.analytics.dashboard.desk import Desk, address_of
from runledger.analytics.dashboard.glimpses import LookError
from runledger.analytics.dashboard.sessions import Session
from runledger.analytics.dashboard.settings import DashboardSettings

EVERYTHING = Principal("acme", frozenset(SCOPES))


class Away:
    """Nothing behind the scenes answers."""

    def look_at_broker(self) -> BrokerLook:
        raise LookError("away")

    def look_at_workers(self) -> tuple[WorkerLook, ...]:
        return ()

    def look_at_letters(self) -> LettersLook:
        raise LookError("away")

    def replay(self, project_key: str, place: str, by: str) -> Replay:
        raise AssertionError(project_key, place, by)

    def resolve(self, project_key: str, word: Word) -> None:
        raise AssertionError(project_key, word)


@pytest.fixture
def client() -> TestClient:
    settings = DashboardSettings(postgres="postgresql://127.0.0.1:1/none")
    app = create_app(settings, Away())
    return TestClient(app, base_url="http://127.0.0.1:8790", raise_server_exceptions=False, follow_redirects=False)


def desk_of(client: TestClient) -> Desk:
    desk: Desk = client.app.state.desk  # type: ignore[attr-defined]  # an ASGI application in general has no state
    return desk


def log_in(client: TestClient) -> None:
    desk = desk_of(client)
    client.cookies.set(desk.cookie, desk.sessions.open(Session(EVERYTHING, None)))


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/runs?status=failed", "/runs?status=failed"),
        ("/login", "/login"),
        ("//evil.example", "/"),
        ("//[", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("https://evil.example/", "/"),
        ("/runs\t", "/"),
    ],
)
def test_logging_in_leads_to_pages_of_ours_alone(client: TestClient, asked: str, leads_to: str) -> None:
    log_in(client)
    answer = client.get("/login", params={"next": asked})
    assert (answer.status_code, answer.headers.get("location")) == (303, leads_to)


async def test_keys_tried_all_at_once_are_attempts_like_others(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def wait(_key: str) -> Principal:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        raise BadKeyError("unknown")

    monkeypatch.setattr(desk_of(client).keys, "authenticate", wait)
    door = httpx.ASGITransport(client.app)
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(transport=door, base_url="http://127.0.0.1:8790", headers=headers) as browser:
        tried = [browser.post("/login", data={"key": ApiKey.new().text()}) for _ in range(30)]
        answers = await asyncio.gather(*tried)
    assert sorted(answer.status_code for answer in answers) == [403] * MOST_ATTEMPTS + [429] * (30 - MOST_ATTEMPTS)
    assert asked == MOST_ATTEMPTS


def test_who_logs_in_well_may_do_so_often(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def know(_key: str) -> Principal:
        return EVERYTHING

    monkeypatch.setattr(desk_of(client).keys, "authenticate", know)
    for _ in range(2 * MOST_ATTEMPTS):
        form = {"key": ApiKey.new().text(), "next": "/runs"}
        assert client.post("/login", data=form, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("path", ["/agents/a%20b%3Fc%23d%25e", "/agents/team/sage?within=7d"])
def test_who_must_log_in_comes_back_to_the_same_address(client: TestClient, path: str) -> None:
    asked = client.get(path)
    assert (asked.status_code, asked.next_request is not None) == (303, True)
    log_in(client)
    back = client.get(asked.headers["location"])
    assert back.headers["location"] == path
    assert path in client.get(path, headers={"Sec-Fetch-Site": "cross-site", "Cookie": "none=1"}).text


def test_a_page_of_ours_that_fails_keeps_to_the_policy_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(client)

    async def fail(*_asked: object) -> HTMLResponse:
        raise KeyError("a defect")

    monkeypatch.setattr(desk_of(client), "page", fail)
    answer = client.get("/runs")
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def asked_for(path: str, query: str = "") -> Request:
    return Request({"type": "http", "path": path, "query_string": query.encode("latin-1"), "headers": []})


def test_no_two_addresses_are_written_alike() -> None:
    asked = [
        ("/agents/a#b", ""),
        ("/agents/a%23b", ""),
        ("/agents/a\tb", ""),
        ("/agents/ab", ""),
        ("/agents/a?b=1", ""),
    ]
    asked += [("/agents/a", "b=1"), ("/agents/a", "")]
    written = [address_of(asked_for(*one)) for one in asked]
    assert len(set(written)) == len(asked)
    assert [unquote(one.partition("?")[0]) for one in written] == [path for path, _ in asked]
    assert address_of(asked_for("/runs", "task=\xff")) == "/runs?task=\ufffd"  # no browser writes so


@pytest.mark.parametrize("name", ["%00" * 64, "g" * 64, "a" * 63 + "%0a", "a" * 65, "x", "a" * 63 + "%c3%a9"])
def test_what_is_no_fingerprint_is_no_kind_of_failure(client: TestClient, name: str) -> None:
    log_in(client)
    assert client.get(f"/failures/{name}").status_code == 404
    told = client.post(f"/failures/{name}/resolve", data={"note": ""}, headers={"Sec-Fetch-Site": "same-origin"})
    assert told.status_code == 404


def test_a_form_may_hold_the_longest_note_in_any_script(client: TestClient) -> None:
    log_in(client)
    form = {"place": "", "note": "\N{GRINNING FACE}" * 10_000}
    told = client.post(f"/failures/{'g' * 64}/resolve", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert told.status_code == 404
    form["note"] *= 2
    told = client.post(f"/failures/{'g' * 64}/resolve", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert told.status_code == 413
