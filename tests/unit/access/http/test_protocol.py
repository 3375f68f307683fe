from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import ClassVar

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from runledger.access.http.protocol import BoundedProtocol

DEADLINE_SECONDS = 30
"""What is not bounded lasts for ever; a busy machine is slow."""


class Hasty(BoundedProtocol):
    head_seconds = body_seconds = write_seconds = 0.2
    left: ClassVar[asyncio.Event] = asyncio.Event()
    """A connection ended by no deed of the peer's."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if exc is None:
            self.left.set()


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the path asks for: 204 at once, or when the body is there, or far more than a socket holds."""
    if scope["path"] == "/read":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 204 if scope["path"] != "/large" else 200, "headers": []})
    if scope["path"] == "/large":
        await send({"type": "http.response.body", "body": b"x" * 50_000_000})
    else:
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def served(limit: int | None = None) -> AsyncIterator[tuple[str, int]]:
    """A server whose patience is short; its address."""
    options = {"port": 0, "http": Hasty, "ws": "none", "lifespan": "off", "log_config": None}
    config = uvicorn.Config(answer, limit_concurrency=limit, **options)  # type: ignore[arg-type]  # of many types
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Hasty(config, state, {}), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def connected(limit: int | None = None) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to such a server."""
    async with served(limit) as address:
        reader, writer = await asyncio.open_connection(*address)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def seconds_until_closed(reader: asyncio.StreamReader, last_words: bytes = b"") -> float:
    began = time.monotonic()
    async with asyncio.timeout(DEADLINE_SECONDS):
        try:
            assert (await reader.read()).startswith(last_words)
        except ConnectionResetError:  # what was dripped just then found nobody to read it
            assert not last_words
    return time.monotonic() - began


async def drip(writer: asyncio.StreamWriter, drop: bytes, closed: asyncio.Task[float]) -> float:
    """Send a drop now and then until the connection is closed; seconds that took."""
    while not closed.done():
        with suppress(ConnectionError):
            writer.write(drop)
        await asyncio.wait([closed], timeout=0.02)
    return closed.result()


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with connected() as (reader, _writer):
        assert 0.1 < await seconds_until_closed(reader) < DEADLINE_SECONDS


async def test_a_head_that_drips_is_closed_however_lively_it_drips() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        assert await drip(writer, b"x: y\r\n", asyncio.create_task(seconds_until_closed(reader))) < DEADLINE_SECONDS


@pytest.mark.parametrize(
    "head", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"], ids=["announced", "chunked"]
)
async def test_a_body_that_drips_is_given_up_in_words(head: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST /read HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n\r\n")
        closed = asyncio.create_task(seconds_until_closed(reader, b"HTTP/1.1 408 "))
        assert await drip(writer, b"1\r\nx\r\n", closed) < DEADLINE_SECONDS


async def test_a_body_that_nobody_reads_is_bounded_too() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        assert await drip(writer, b"x", asyncio.create_task(seconds_until_closed(reader))) < DEADLINE_SECONDS


async def test_empty_lines_after_an_answer_keep_no_connection_open() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        assert await drip(writer, b"\r\n", asyncio.create_task(seconds_until_closed(reader))) < DEADLINE_SECONDS


async def test_who_does_not_take_his_answer_is_left() -> None:
    Hasty.left = asyncio.Event()
    async with served() as address:
        _, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
        async with asyncio.timeout(DEADLINE_SECONDS):
            await Hasty.left.wait()
        writer.close()


async def test_more_connections_than_there_is_room_for_are_told_so() -> None:
    async with served(limit=3) as address:
        held = [await asyncio.open_connection(*address) for _ in range(3)]
        reader, writer = await asyncio.open_connection(*address)
        assert await seconds_until_closed(reader, b"HTTP/1.1 503 ") < DEADLINE_SECONDS
        for _, held_writer in [*held, (reader, writer)]:
            held_writer.close()


async def test_a_second_head_on_the_same_connection_is_bounded_too() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        writer.write(b"GET / HTTP/1.1\r\n")
        assert await seconds_until_closed(reader) < DEADLINE_SECONDS


async def test_quick_requests_are_answered_one_after_the_other() -> None:
    async with connected() as (reader, writer):
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
