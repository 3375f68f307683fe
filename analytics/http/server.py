"""Serve the read API until SIGTERM."""

from __future__ import annotations

from runledger.access.http.server import serve
from runledger.analytics.http.app import create_app
from runledger.analytics.http.settings import ApiSettings


def run_api(settings: ApiSettings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun within ten seconds.

    Raises:
        RuntimeError: it could not start.
    """
    serve(create_app(settings), settings.api_host, settings.api_port)
