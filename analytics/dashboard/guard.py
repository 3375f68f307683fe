"""What every request must keep to, and what every answer says: for a browser is shown pages of others, too."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD"})
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from elsewhere, nothing inline: what agents wrote cannot become a program, even where escaping failed."""
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses names that are not ours (DNS rebinding) and changes that another site's page asks for.

    Args:
        app: all routes.
        allowed_hosts: names under which it may be asked, beside those of the loopback address.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: tuple[str, ...]) -> None:
        self._app = app
        self._allowed = _LOOPBACK | set(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it (ASGI 3)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)

        async def send_headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                say_policy(MutableHeaders(scope=message))
            await send(message)

        # The server leaves the body of an answer to HEAD away.
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await (refused or self._app)(asked, receive, send_headed)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name(hosts[0]) not in self._allowed:
            why = "This address is not one of ours: set RUNLEDGER_DASHBOARD_ALLOWED_HOSTS to the names people use.\n"
            return PlainTextResponse(why, 421)
        if scope["method"] not in _SAFE and not _is_own(headers, hosts[0]):
            return PlainTextResponse("Changes are asked for by our own pages only.\n", 403)
        return None


def say_policy(headers: MutableHeaders) -> None:
    """Put into an answer's headers what browsers shall keep to."""
    headers.update(_HEADERS)
    headers.setdefault("Cache-Control", "no-store")


def _is_own(headers: Headers, host: str) -> bool:
    """Tell whether one of our own pages asks. Every browser says so in one of two ways; who says nothing is none."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    try:
        return urlsplit(headers.get("origin", "")).netloc.lower() == host.lower()
    except ValueError:
        return False


def _name(host: str) -> str | None:
    """Take the port, and an IPv6 address's brackets, off a Host header; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        is_plain = parts.netloc == host and "@" not in host and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if is_plain else None
