"""Serve an application until SIGTERM."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from runledger.access.http.measuring import Measured
from runledger.access.http.protocol import BoundedProtocol
from runledger.vitals import beating, told_to_end

MAX_CONNECTIONS = 4096
KEEP_ALIVE_SECONDS = 5
DRAIN_SECONDS = 4
_OTHER_FILES = 256
"""What a process holds open beside its callers: the broker's and the database's connections, libraries."""


class _Server(uvicorn.Server):
    """Uvicorn's server; signals are ours, so that a polite end has exit code 0.

    Args:
        config: what it serves, and how.
        on_ending: told first when it is to end, so that answers without an end find one.
    """

    def __init__(self, config: uvicorn.Config, on_ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ending = on_ending

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def ask_to_end(self) -> None:
        """Take no more connections, finish what was begun, end."""
        told_to_end()
        self._on_ending()
        self.should_exit = True


def config_of(app: Starlette, host: str, port: int, drain_seconds: int = DRAIN_SECONDS) -> uvicorn.Config:
    """Say how every listener of ours is served: by bounds on sizes, times and connections."""
    return uvicorn.Config(
        Measured(app, app.routes),
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_connections(),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=drain_seconds,
    )


def serve(app: FastAPI, host: str, port: int, on_ending: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun within ten seconds.

    Args:
        app: the application.
        host: address to listen on.
        port: 0 for any free one.
        on_ending: called at the signal.

    Raises:
        RuntimeError: it could not start.
    """
    config = config_of(app, host, port)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(_Server(config, on_ending), app.title))


def _connections() -> int:
    """Count the connections we can hold; asks the system for as many open files as that takes."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _OTHER_FILES
    if allowed < wanted:
        allowed = wanted if most == resource.RLIM_INFINITY else min(most, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return max(1, min(MAX_CONNECTIONS, allowed - _OTHER_FILES))


async def _serve(server: _Server, title: str) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.ask_to_end)
    async with beating():
        await server.serve()
    if not server.started:
        raise RuntimeError(f"{title} could not start; the log says why")
