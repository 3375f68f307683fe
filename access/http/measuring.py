"""Count requests by route and status, and how long they take."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runledger.vitals import count, observe
from runledger.vitals.metrics import HTTP_REQUESTS, HTTP_SECONDS

UNMATCHED = "unmatched"
_run_ids = re.compile(r"/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/|\Z)").sub


class Measured:
    """An application whose requests are counted. A route is named by its template: no path of a client's is a label.

    Args:
        app: answers.
        routes: its routes; whatever none of them takes is `unmatched`.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._templates = set(_paths(routes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), "none"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = self._template(scope)
            count(HTTP_REQUESTS, 1, route, status)
            observe(HTTP_SECONDS, time.perf_counter() - began, route)

    def _template(self, scope: Scope) -> str:
        """Name the route: as the router has found it, or, of a call that went past the router, by its path."""
        found = getattr(scope.get("route"), "path", None)
        if isinstance(found, str):
            return found
        path = _run_ids("/{run_id}", scope["path"])
        return path if path in self._templates else UNMATCHED


def _paths(routes: Iterable[BaseRoute]) -> Iterator[str]:
    """Walk through routes, those of routers that were included as well: FastAPI keeps them below their router."""
    for route in routes:
        path = getattr(route, "path", None)
        if isinstance(path, str):
            yield path
        yield from _paths(getattr(getattr(route, "original_router", None), "routes", ()))
