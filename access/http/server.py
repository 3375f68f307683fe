"""Serve an application until SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from runledger.access.http.protocol import BoundedProtocol

MAX_CONNECTIONS = 4096
KEEP_ALIVE_SECONDS = 5
_DRAIN_SECONDS = 4


class _Server(uvicorn.Server):
    """Uvicorn's server; signals are ours, so that a polite end has exit code 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def ask_to_end(self) -> None:
        """Take no more connections, finish what was begun, end."""
        self.should_exit = True


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun within ten seconds.

    Raises:
        RuntimeError: it could not start.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(_Server(config), app.title))


async def _serve(server: _Server, title: str) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.ask_to_end)
    await server.serve()
    if not server.started:
        raise RuntimeError(f"{title} could not start; the log says why")
