"""One attempt against receivers of every kind."""

from __future__ import annotations

import asyncio
import socket
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest

from runledger.access.webhooks import secret_text
from runledger.watch.messages import trial_message
from runledger.watch.posting import Outcome, open_session, post
from tests.integration.watch.receiver import Behaviour, dribble, flood, hang, receiving, reset, say, take

pytestmark = pytest.mark.integration

SECRET = bytes(range(32))
MESSAGE = trial_message("acme", UUID(int=1), datetime(2026, 3, 1, tzinfo=UTC))


async def attempt(url: str, timeout_seconds: float = 2) -> Outcome:
    async with open_session(timeout_seconds) as session:
        return await post(session, url, SECRET, MESSAGE)


@pytest.mark.parametrize(
    ("behave", "error", "is_final"),
    [
        pytest.param(take, None, False, id="takes it"),
        pytest.param(say(200), None, False, id="200"),
        pytest.param(say(299), None, False, id="299"),
        pytest.param(flood, None, False, id="endless body"),
        pytest.param(dribble, None, False, id="body that never comes"),
        pytest.param(say(301, Location="/elsewhere"), "HTTP 301", False, id="301"),
        pytest.param(say(307, Location="http://127.0.0.1:1/"), "HTTP 307", False, id="307"),
        pytest.param(say(400), "HTTP 400", False, id="400"),
        pytest.param(say(410), "HTTP 410", True, id="410"),
        pytest.param(say(429), "HTTP 429", False, id="429"),
        pytest.param(say(503), "HTTP 503", False, id="503"),
        pytest.param(hang, "no answer in time", False, id="hangs"),
        pytest.param(reset, "the connection was lost", False, id="resets"),
    ],
)
async def test_an_attempt_says_what_came_of_it(behave: Behaviour, error: str | None, is_final: bool) -> None:
    async with receiving(behave) as receiver:
        receiver.secret = secret_text(SECRET)
        began = time.monotonic()
        assert await attempt(receiver.url) == Outcome(error, is_final=is_final)
        assert time.monotonic() - began < 4
        assert receiver.ids == [MESSAGE.message_id], "told once, and no redirect was followed"


async def test_nobody_listening_is_told_apart() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert await attempt(f"http://127.0.0.1:{port}/") == Outcome("could not connect")
    assert await attempt("http://no-such-host.invalid/", 10) == Outcome("the host's name is unknown")


async def test_tls_against_a_server_that_speaks_none_fails_as_such() -> None:
    async with receiving() as receiver:
        assert await attempt(receiver.url.replace("http://", "https://")) == Outcome("TLS failed")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff garbage\r\n\r\n", id="garbage"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, id="endless header"),
    ],
)
async def test_no_http_is_a_failure_whatever_it_says(answer: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        outcome = await attempt(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert outcome.error is not None
    assert "garbage" not in outcome.error
    assert len(outcome.error) < 60
