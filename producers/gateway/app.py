"""The gateway as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from runledger.access.http.handlers import handle_errors
from runledger.access.http.paths import WholePaths
from runledger.access.keyring import KeyRing
from runledger.producers.doors import Emitter
from runledger.producers.gateway import events, health, routes, spans
from runledger.producers.gateway.documents import openapi_of
from runledger.producers.gateway.gate import Gate
from runledger.producers.gateway.health import Broker
from runledger.producers.gateway.quick_routes import QuickRoutes
from runledger.producers.gateway.settings import GatewaySettings


def create_app(settings: GatewaySettings) -> FastAPI:
    """Make the application; connections are opened when it starts and closed when it stops."""

    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        async with KeyRing(settings.postgres) as keys, Emitter(settings) as emitter:
            app.state.gate = Gate(settings, keys, emitter)
            app.state.broker = Broker(settings)
            yield

    app = FastAPI(
        title="Runledger gateway",
        version=version("runledger"),
        description="Tell about AI-agent runs. A success means that the broker has the event.",
        lifespan=connected,
        # The pages would be fetched from a CDN.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(QuickRoutes)
    app.add_middleware(WholePaths)
    app.include_router(routes.router)
    app.include_router(events.router)
    app.include_router(spans.router)
    app.include_router(health.router)
    handle_errors(app)
    internal = openapi_of(app, internal=True)
    app.add_api_route("/internal/openapi.json", internal, include_in_schema=False)
    app.openapi = openapi_of(app)  # type: ignore[method-assign]  # FastAPI's own way to replace the document
    return app
