"""A way to a server that can be made to hang: connections stay open and nothing arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

import psycopg


class FreezingProxy:
    """Pass bytes on in both directions until it is frozen."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._serving: set[asyncio.Task[None]] = set()

    def freeze(self) -> None:
        """Pass nothing on from now on."""
        self._thawed.clear()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        for passing in (self._pass(reader, there_writer), self._pass(there_reader, writer)):
            task = asyncio.create_task(passing)
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def close(self) -> None:
        """End every connection."""
        serving = tuple(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            while data := await reader.read(65_536):
                await self._thawed.wait()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def freezing(uri: str) -> AsyncIterator[tuple[str, FreezingProxy]]:
    """Give a URI by which a database is reached through a proxy, and the proxy."""
    parts = psycopg.conninfo.conninfo_to_dict(uri)
    proxy = FreezingProxy(str(parts["host"]), int(parts.get("port") or 5432))
    server = await asyncio.start_server(proxy.connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield psycopg.conninfo.make_conninfo(uri, host="127.0.0.1", port=port), proxy
    finally:
        server.close()
        await proxy.close()
