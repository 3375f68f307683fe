from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from runledger.analytics.dashboard.guard import Guard


async def answer(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("in")


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])
    return TestClient(Guard(app, ("ledger.example",)), base_url="http://127.0.0.1:8790")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8790", "localhost", "LOCALHOST:1", "[::1]:8790", "ledger.example", "ledger.example:443"]
)
def test_our_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost/",
        "localhost:x",
        "[::1",
        "",
    ],
)
def test_other_names_are_not(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "http://127.0.0.1:8790"}, 200),
        ({"Origin": "http://127.0.0.1:8791"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8790"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
def test_changes_are_asked_for_by_our_own_pages_alone(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/", headers=headers).status_code == status


def test_every_answer_keeps_others_out_refusals_too(client: TestClient) -> None:
    for given in (client.get("/"), client.post("/")):
        assert "default-src 'none'" in given.headers["Content-Security-Policy"]
        assert "unsafe" not in given.headers["Content-Security-Policy"]
        assert given.headers["X-Content-Type-Options"] == "nosniff"
        assert given.headers["Cache-Control"] == "no-store"


def test_head_is_answered_like_get(client: TestClient) -> None:
    assert client.head("/").status_code == 200
