"""The gateway as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from runledger.access.keyring import KeyRing
from runledger.producers.doors import Emitter
from runledger.producers.gateway import events, health, routes
from runledger.producers.gateway.answers import answer_error, error_answer
from runledger.producers.gateway.documents import openapi_of
from runledger.producers.gateway.errors import Code, HttpError, invalid
from runledger.producers.gateway.gate import Gate
from runledger.producers.gateway.health import Broker
from runledger.producers.gateway.settings import GatewaySettings

_LOG = structlog.get_logger()
_CODES: dict[int, Code] = {404: "not_found", 405: "method_not_allowed"}


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
    app.include_router(routes.router)
    app.include_router(events.router)
    app.include_router(health.router)
    app.add_exception_handler(HttpError, answer_error)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_defect)
    internal = openapi_of(app, internal=True)
    app.add_api_route("/internal/openapi.json", internal, include_in_schema=False)
    app.openapi = openapi_of(app)  # type: ignore[method-assign]  # FastAPI's own way to replace the document
    return app


async def _answer_validation(_request: Request, error: Exception) -> Response:
    """Name the parameter of path or headers that breaks a rule."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    return error_answer(invalid(".".join(str(part) for part in first["loc"][1:]), first["msg"]))


async def _answer_http(_request: Request, error: Exception) -> Response:
    """Answer for what no route takes, in our own shape."""
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "invalid")
    return error_answer(HttpError(error.status_code, code, error.detail, headers=error.headers))


async def _answer_defect(_request: Request, error: Exception) -> Response:
    """Answer for a defect of ours."""
    _LOG.error("request_failed", exc_info=error)
    return error_answer(HttpError(500, "internal", "a defect of ours; it was logged"))
