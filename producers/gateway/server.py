"""Serve the gateway until SIGTERM."""

from __future__ import annotations

import gc

import structlog

from runledger.access.http.server import serve
from runledger.producers.gateway.app import create_app
from runledger.producers.gateway.settings import GatewaySettings

_LOG = structlog.get_logger()


def run_gateway(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun within ten seconds.

    Raises:
        RuntimeError: it could not start.
    """
    if settings.is_trusted:
        _LOG.info("listener_trusted", host=settings.http_host, project_key=settings.project)
    app = create_app(settings)
    # A batch of spans makes thousands of objects and no cycle: to look for some took a seventh of its time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    serve(app, settings.http_host, settings.http_port)
