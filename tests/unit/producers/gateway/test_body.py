from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from runledger.access.http.errors import HttpError
from runledger.producers.doors import LogRun, read_parameters
from runledger.producers.gateway import body
from runledger.producers.gateway.body import read_body, read_json


def request(chunks: Iterable[bytes], *, never_ends: bool = False, **headers: str) -> Request:
    """A request whose body arrives in these chunks."""
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if not never_ends:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    arriving = iter(messages)

    async def receive() -> Message:
        message = next(arriving, None)
        if message is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": pairs}, receive)


def split(value: bytes, size: int) -> list[bytes]:
    return [value[start : start + size] for start in range(0, len(value), size)]


@given(
    value=st.binary(max_size=2000), size=st.integers(1, 500), coding=st.sampled_from(["identity", "gzip", "deflate"])
)
def test_a_body_is_the_same_however_it_is_packed_and_cut(value: bytes, size: int, coding: str) -> None:
    packed = {"identity": value, "gzip": gzip.compress(value), "deflate": zlib.compress(value)}[coding]
    read = read_body(request(split(packed, size), content_encoding=coding), 4000)
    assert asyncio.run(read) == value


@given(size=st.integers(1, 500), excess=st.integers(-2, 2), coding=st.sampled_from(["identity", "gzip", "deflate"]))
def test_the_bound_is_exact(size: int, excess: int, coding: str) -> None:
    value = b"x" * (1000 + excess)
    packed = {"identity": value, "gzip": gzip.compress(value), "deflate": zlib.compress(value)}[coding]
    read = read_body(request(split(packed, size), content_encoding=coding), 1000)
    if excess <= 0:
        assert asyncio.run(read) == value
    else:
        with pytest.raises(HttpError) as raised:
            asyncio.run(read)
        assert raised.value.status == 413


async def test_an_announced_size_beyond_the_bound_is_refused_before_anything_is_read() -> None:
    with pytest.raises(HttpError) as raised:
        await read_body(request([], never_ends=True, content_length="1001"), 1000)
    assert raised.value.status == 413


async def test_a_bomb_is_never_unpacked_beyond_the_bound() -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)
    with pytest.raises(HttpError) as raised:
        await read_body(request([bomb], content_encoding="gzip"), 100_000)
    assert raised.value.status == 413


async def test_a_body_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)
    with pytest.raises(HttpError) as raised:
        await read_body(request([b"{"], never_ends=True), 1000)
    assert (raised.value.status, raised.value.headers) == (408, {"Connection": "close"})


async def test_other_calls_go_on_while_a_large_body_is_checked() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    def check(document: object) -> object:
        log = {"agent_id": "a", "status": "success", "actions_taken": document}
        return [read_parameters(LogRun, log) for _ in range(5)]

    read = await read_json(request([b'{"a":[' + b",".join([b"1"] * 100_000) + b"]}"]))
    ticking = asyncio.create_task(tick())
    await read.check(check)
    ticking.cancel()
    assert ticks > 20
