"""The server around the routes: paths it does not know, heads it does not take, pages it does not serve."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
import requests

from tests.integration.producers.gateway.serving import Caller

pytestmark = pytest.mark.integration


def test_unknown_paths_and_methods_are_answered_in_our_own_shape(url: str, nobody: Caller) -> None:
    missing = nobody.get("/api/v2/runs")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    wrong = requests.put(f"{url}/api/v1/runs", timeout=10)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_that_need_a_cdn_are_not_served(nobody: Caller, path: str) -> None:
    assert nobody.get(path).status_code == 404


def test_the_document_shows_an_example_of_every_body(nobody: Caller) -> None:
    document = nobody.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                assert media_type == "application/x-protobuf" or content["example"] is not None, path


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"x-%d: y\r\n" % number for number in range(101)),
        b"x: " + b"y" * 70_000,
        b"x: " + b"y" * 70_000 + b"\r\n",
    ],
)
def test_a_head_without_measure_is_refused(url: str, head: bytes) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n" + head)
        assert connection.recv(64).startswith(b"HTTP/1.1 431 ")


def test_a_client_that_leaves_in_the_middle_harms_nobody(url: str, nobody: Caller) -> None:
    parts = urlsplit(url)
    head = b"POST /api/v1/internal/agent-run-log HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(head + b"Content-Length: 100\r\n\r\n{")
    assert nobody.get("/healthz").ok
