"""Serve the dashboard until SIGTERM."""

from __future__ import annotations

from runledger.access.http.server import serve
from runledger.analytics.dashboard.app import create_app
from runledger.analytics.dashboard.backstage import Backstage
from runledger.analytics.dashboard.settings import DashboardSettings


def run_dashboard(settings: DashboardSettings, backstage: Backstage) -> None:
    """Serve until SIGTERM or SIGINT, then let the open pages go and finish what was begun within ten seconds.

    Args:
        settings: of the dashboard.
        backstage: looks at what is not in the tables, and makes the few changes.

    Raises:
        RuntimeError: it could not start.
    """
    app = create_app(settings, backstage)
    serve(app, settings.dashboard_host, settings.dashboard_port, on_ending=app.state.desk.live.end)
