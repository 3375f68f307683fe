"""Clients that say nothing, or drip: each is left after its time, on every listener, and others are served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from starlette.applications import Starlette

from runledger.access.http.protocol import BoundedProtocol
from runledger.analytics.http.app import create_app as create_api
from runledger.analytics.http.settings import ApiSettings
from runledger.producers.gateway.app import create_app as create_gateway
from runledger.producers.gateway.settings import GatewaySettings
from runledger.producers.mcp_server import McpSettings
from tests.fuzz import doors
from tests.fuzz.doors import Ground
from tests.fuzz.wire import listening

pytestmark = pytest.mark.integration

SLOW = 50
"""Of each kind."""
PATIENCE_SECONDS = 1.0
LEFT_AFTER_SECONDS = 60.0
"""Of a machine that has other work; who is never left drips on for ever."""
_POST = b"POST /%b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
APPS: dict[str, Callable[[Ground], Starlette]] = {
    "gateway": lambda on: create_gateway(GatewaySettings(**on.settings.model_dump())),
    "api": lambda on: create_api(ApiSettings(postgres=on.settings.postgres)),
    "mcp": lambda on: doors.mcp_app(McpSettings(**on.settings.model_dump())),
}


@pytest.fixture(scope="module")
def ground(servers: tuple[str, str]) -> Iterator[Ground]:
    """Topics, tables and keys of these tests' own."""
    with doors.ground(*servers) as made:
        yield made


async def drip(address: tuple[str, int], first: bytes, drop: bytes) -> bytes:
    """Send a beginning, then a drop now and then; return what came before the connection was closed."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(first)
        reading = asyncio.create_task(reader.read())
        while not reading.done():
            writer.write(drop)
            await asyncio.wait([reading], timeout=0.1)
        return reading.result()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def ask(address: tuple[str, int]) -> float:
    """Ask as everybody does, again where the door took us for one of the slow; seconds until the whole answer."""
    began, answer = time.monotonic(), b""
    while not answer:
        assert time.monotonic() - began < LEFT_AFTER_SECONDS
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection(*address)
            try:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
            finally:
                writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    return time.monotonic() - began


@pytest.mark.parametrize("name", APPS)
async def test_the_slow_are_left_and_the_others_served(
    name: str, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", PATIENCE_SECONDS)
    monkeypatch.setattr(BoundedProtocol, "body_seconds", PATIENCE_SECONDS)
    post = _POST % (b"mcp" if name == "mcp" else b"api/v1/failures")
    key = b"Authorization: " + ground.keys["all"] + b"\r\n"
    kinds = [(b"", b""), (post, b"x: y\r\n"), (post + key + b"\r\n", b"x"), (post + b"\r\n", b"x")]
    with listening(APPS[name](ground)) as address:
        began = time.monotonic()
        slow = [asyncio.create_task(drip(address, *kind)) for kind in kinds for _ in range(SLOW)]
        waits = []
        while not all(task.done() for task in slow):
            waits.append(await ask(address))
            assert time.monotonic() - began < LEFT_AFTER_SECONDS
            await asyncio.sleep(0.05)  # a polite pace, not a wait for anything
        told = [task.result() for task in slow]
    assert max(waits) < LEFT_AFTER_SECONDS / 4
    assert not any(answer.startswith(b"HTTP/1.1 5") for answer in told)
    bodies = told[2 * SLOW :]
    if name == "api":
        assert not any(answer.startswith(b"HTTP/1.1 408 ") for answer in bodies)
    else:  # who drips just when the connection ends may lose its last words
        assert all(not answer or answer.startswith(b"HTTP/1.1 4") for answer in bodies)
