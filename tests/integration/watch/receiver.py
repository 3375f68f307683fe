"""A webhook receiver on the loopback that misbehaves as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from aiohttp import web
from standardwebhooks.webhooks import Webhook

Behaviour: TypeAlias = Callable[[web.Request, int], Awaitable[web.StreamResponse]]
"""(request, how often this receiver was called before) -> answer."""


@dataclass(slots=True)
class Receiver:
    """What came in, verified or not."""

    url: str = ""
    behave: Behaviour | None = None
    secret: str | None = None
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """(webhook-id, body) of every call, in the order in which they came."""

    @property
    def ids(self) -> list[str]:
        """webhook-id of every call."""
        return [message_id for message_id, _ in self.told]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note a call, and answer as told."""
        body = await request.read()
        if self.secret is not None:
            Webhook(self.secret).verify(body, dict(request.headers))
        self.told.append((request.headers["webhook-id"], orjson.loads(body)))
        behave = self.behave or take
        return await behave(request, len(self.told) - 1)


async def take(_request: web.Request, _calls: int) -> web.StreamResponse:
    """Have it."""
    return web.Response(status=204)


async def hang(_request: web.Request, _calls: int) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(3600)
    raise AssertionError


async def reset(request: web.Request, _calls: int) -> web.StreamResponse:
    """Cut the connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def flood(request: web.Request, _calls: int) -> web.StreamResponse:
    """Have it, and answer with a body that has no end."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b"x" * 65536)


async def dribble(request: web.Request, _calls: int) -> web.StreamResponse:
    """Have it, and never come to the end of the answer."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    await asyncio.sleep(3600)
    return answer


def say(status: int, **headers: str) -> Behaviour:
    """Answer with a status."""

    async def answer(_request: web.Request, _calls: int) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return answer


def first(count: int, behave: Behaviour, then: Behaviour = take) -> Behaviour:
    """Behave so for the first calls."""

    async def answer(request: web.Request, calls: int) -> web.StreamResponse:
        return await (behave if calls < count else then)(request, calls)

    return answer


@asynccontextmanager
async def receiving(behave: Behaviour | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver for the length of a block."""
    receiver = Receiver(behave=behave)
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
