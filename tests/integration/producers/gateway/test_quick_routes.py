"""A usual call is answered past FastAPI, an unusual one by it: the answers are the same, byte for byte."""

from __future__ import annotations

import http.client
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.integration
RUN = "0199f0c2-7f3a-7cc1-8d3b-0a5c1f2e3d4c"
JSON = "application/json"


class Answer(NamedTuple):
    """All of an answer but its date."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def post(url: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    connection.putrequest("POST", f"/api/v1/{path}")
    for name, value in [*headers, ("Content-Length", str(len(body)))]:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    told = Answer(answer.status, [row for row in answer.getheaders() if row[0] != "date"], answer.read())
    connection.close()
    return told


USAGE = b'{"token_usage": {"input_tokens": 7, "model": "m"}}'
VALID = [
    ("runs", b'{"agent_id": "sage"}'),
    (f"runs/{RUN}/usage", USAGE),
    (f"runs/{RUN}/heartbeat", b"{}"),
    (f"runs/{RUN}/end", b'{"status": "completed"}'),
    ("failures", b'{"summary": "no"}'),
    ("records", b'{"agent": "sage", "summary": "did it"}'),
    ("internal/agent-run-log", b'{"agent_id": "sage", "status": "success"}'),
]


def both(url: str, path: str, headers: list[tuple[str, str]], body: bytes) -> tuple[Answer, Answer]:
    """The answer past FastAPI, and the one of FastAPI's route: to it goes whoever sends a header twice."""
    key = ("Idempotency-Key", f"same-{path}-{body.hex()[:100]}")
    return post(url, path, [*headers, key], body), post(url, path, [*headers, key, key], body)


@pytest.mark.parametrize(("path", "body"), VALID)
def test_a_success_is_the_same(url: str, keys: dict[str, str], path: str, body: bytes) -> None:
    quick, routed = both(url, path, [("Authorization", f"Bearer {keys['acme']}"), ("Content-Type", JSON)], body)
    assert quick.status in {201, 204}
    assert quick == routed


@pytest.mark.parametrize(("path", "_body"), VALID)
@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"token_usage": {"input_tokens": -1}}', b'{"a": 1}', b'{"run_id": "x"}']
)
def test_a_refused_body_is_the_same(url: str, keys: dict[str, str], path: str, _body: bytes, body: bytes) -> None:
    quick, routed = both(url, path, [("Authorization", f"Bearer {keys['acme']}"), ("Content-Type", JSON)], body)
    assert quick == routed


@pytest.mark.parametrize("authorization", ["", "Basic x", "Bearer nonsense", "Bearer rl.0.0"])
@pytest.mark.parametrize(("path", "body"), VALID)
def test_a_refused_caller_is_the_same(url: str, path: str, body: bytes, authorization: str) -> None:
    quick, routed = both(url, path, [("Authorization", authorization), ("Content-Type", JSON)], body)
    assert quick.status == 401
    assert quick == routed


@pytest.mark.parametrize(
    ("name", "status", "headers", "body"),
    [
        ("reader", 403, [("Content-Type", JSON)], USAGE),
        ("other", 403, [("Content-Type", JSON)], b'{"project_key": "acme", "token_usage": {}}'),
        ("acme", 415, [("Content-Type", "text/plain")], USAGE),
        ("acme", 415, [("Content-Type", JSON), ("Content-Encoding", "br")], USAGE),
        ("acme", 400, [("Content-Type", JSON), ("Content-Encoding", "gzip")], USAGE),
        ("acme", 413, [("Content-Type", JSON)], b" " * (1024 * 1024 + 1)),
    ],
)
def test_a_refused_call_is_the_same(
    url: str, keys: dict[str, str], name: str, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    authorization = ("Authorization", f"Bearer {keys[name]}")
    quick, routed = both(url, f"runs/{RUN}/usage", [authorization, *headers], body)
    assert quick.status == status
    assert quick == routed
