"""Headers that every answer bears, and HEAD."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PUBLIC_PATHS = "/api/v1/public/"
"""Pages of any origin may read what lies below, errors too."""


class AnswerHeaders:
    """Lets nothing be kept that does not say it may be, and answers HEAD as GET.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Content-Type-Options"] = "nosniff"
                if scope["path"].startswith(PUBLIC_PATHS):
                    headers["Access-Control-Allow-Origin"] = "*"
            await send(message)

        # The server leaves the body of an answer to HEAD away.
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await self._app(asked, receive, send_headed)
