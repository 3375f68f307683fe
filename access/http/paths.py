"""Take no path for another."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from runledger.access.http.answers import error_answer
from runledger.access.http.errors import HttpError


class WholePaths:
    """Middleware that knows nothing where a path ends with a line break (`%0a`).

    The routes' patterns end with `$`, which overlooks it: the same route would have names that a proxy's rules miss.

    Args:
        app: all routes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer 404."""
        if scope["type"] == "http" and scope["path"].endswith("\n"):
            await error_answer(HttpError(404, "not_found", "Not Found"))(scope, receive, send)
        else:
            await self._app(scope, receive, send)
