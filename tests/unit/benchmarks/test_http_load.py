"""The client that loads the gateway."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.errors import EndedError
from benchmarks.http_load import post_all, request_of


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await reader.readuntil(b"\r\n\r\n"):
        body = await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
        if body == b"leave":
            break
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}")
    writer.close()


async def test_every_request_is_answered_once_and_timed() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        told = await post_all(url, [request_of(url, "/x", {}, b"{}")] * 50, 4)

    assert told.statuses == {201: 50}
    assert len(told.seconds) == 50


async def test_a_paced_load_takes_its_time() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        told = await post_all(url, [request_of(url, "/x", {}, b"{}")] * 11, 2, per_second=100)

    assert told.elapsed_seconds >= 0.1


async def test_a_gateway_that_hangs_up_is_an_error() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(EndedError):
            await post_all(url, [request_of(url, "/x", {}, b"leave")], 1)
