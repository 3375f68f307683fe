from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse

import pytest

from runledger.vitals.listener import MAX_CONNECTIONS, Answer, Listener, ListenError


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener(
        "127.0.0.1",
        0,
        {
            "/healthz": lambda: Answer(b'{"status":"unwell"}', "application/json", HTTPStatus.SERVICE_UNAVAILABLE),
            "/metrics": lambda: Answer(b"up 1\n", "text/plain"),
        },
    )
    yield listener
    listener.close()


def ask(listener: Listener, path: str, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", listener.port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_it_answers_its_paths_and_no_others(listener: Listener) -> None:
    answer, body = ask(listener, "/metrics?name=up")
    assert (answer.status, body) == (200, b"up 1\n")
    answer, body = ask(listener, "/healthz")
    assert (answer.status, body) == (503, b'{"status":"unwell"}')
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Python" not in answer.headers["Server"]
    for path in ("/", "/metrics/", "/../etc/passwd", "/healthz%00"):
        assert ask(listener, path)[0].status == 404


def test_head_has_no_body_and_other_methods_are_refused(listener: Listener) -> None:
    answer, body = ask(listener, "/metrics", "HEAD")
    assert (answer.status, body, answer.headers["Content-Length"]) == (200, b"", "5")
    assert ask(listener, "/metrics", "POST")[0].status == 501


def test_slow_clients_keep_nobody_from_an_answer(listener: Listener) -> None:
    slow = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(4 * MAX_CONNECTIONS)]
    try:
        for connection in slow[-MAX_CONNECTIONS:]:
            connection.sendall(b"GET /metrics HTT")
        began = time.monotonic()
        assert ask(listener, "/metrics")[1] == b"up 1\n"
        assert time.monotonic() - began < 2
    finally:
        for connection in slow:
            connection.close()


def test_slow_clients_do_not_hold_up_the_end() -> None:
    listener = Listener("127.0.0.1", 0, {})
    with socket.create_connection(("127.0.0.1", listener.port)) as connection:
        connection.sendall(b"GET /")
        began = time.monotonic()
        listener.close()
        assert time.monotonic() - began < 2


def test_a_taken_port_is_named_with_the_setting(listener: Listener) -> None:
    with pytest.raises(ListenError, match=f"RUNLEDGER_METRICS_PORT: cannot listen on 127.0.0.1 port {listener.port}"):
        Listener("127.0.0.1", listener.port, {})
