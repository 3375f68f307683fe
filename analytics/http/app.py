"""The read API as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from runledger.access.http.handlers import handle_errors
from runledger.access.http.paths import WholePaths
from runledger.access.keyring import KeyRing
from runledger.analytics.counters import CompletedCounts
from runledger.analytics.database import Database
from runledger.analytics.http import agents, health, ledger, public, runs
from runledger.analytics.http.errors import handle_read_errors
from runledger.analytics.http.gate import Gate
from runledger.analytics.http.headers import AnswerHeaders
from runledger.analytics.http.settings import ApiSettings


def create_app(settings: ApiSettings) -> FastAPI:
    """Make the application; connections are opened when it starts and closed when it stops.

    Raises:
        CounterError: two installed packages register counts of one name.
    """
    counts = CompletedCounts.installed()

    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        async with (
            KeyRing(settings.postgres) as keys,
            Database(settings.read_uri) as database,
            Database(settings.read_uri) as public,
        ):
            app.state.gate = Gate(keys, database, public, counts, settings.time_zone)
            yield

    app = FastAPI(
        title="Runledger read API",
        version=version("runledger"),
        description="Ask the ledger about a project's runs, agents, failures and costs. Null is unknown, never zero.",
        lifespan=connected,
        # The pages would be fetched from a CDN.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for routes in (runs, ledger, agents, public, health):
        app.include_router(routes.router)
    app.add_middleware(WholePaths)
    app.add_middleware(AnswerHeaders)
    handle_errors(app)
    handle_read_errors(app)
    return app
