"""Serve the gateway until SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from runledger.producers.gateway.app import create_app
from runledger.producers.gateway.protocol import BoundedProtocol
from runledger.producers.gateway.settings import GatewaySettings

_LOG = structlog.get_logger()
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


def run_gateway(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun within ten seconds.

    Raises:
        RuntimeError: it could not start.
    """
    config = uvicorn.Config(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
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
        runner.run(_serve(_Server(config), settings))


async def _serve(server: _Server, settings: GatewaySettings) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.ask_to_end)
    if settings.is_trusted:
        _LOG.info("listener_trusted", host=settings.http_host, project_key=settings.project)
    await server.serve()
    if not server.started:
        raise RuntimeError("the gateway could not start; the log says why")
