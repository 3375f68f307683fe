from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from runledger.access.http.paths import WholePaths


def known(_request: object) -> PlainTextResponse:
    return PlainTextResponse("known")


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=[Route("/runs", known), Route("/agents/{name:path}", known)])
    app.add_middleware(WholePaths)
    return TestClient(app)


@pytest.mark.parametrize("path", ["/runs%0a", "/runs%0A", "/runs%0a%0a", "/agents/a%0a"])
def test_a_path_that_ends_with_a_line_break_is_no_path_of_ours(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/runs", "/agents/a%09b", "/agents/a%20"])
def test_other_paths_are_handed_on(client: TestClient, path: str) -> None:
    assert client.get(path).text == "known"
