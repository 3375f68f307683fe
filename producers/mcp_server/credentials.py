"""On whose behalf a tool is called: said by the request's bearer key, by the environment, or by a trusting operator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog
from fastmcp.server.dependencies import get_http_request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from runledger.access.errors import BadKeyError, UnavailableError
from runledger.access.keyring import KeyRing
from runledger.access.keys import Principal

Identify: TypeAlias = Callable[[], Awaitable[Principal]]
"""Say who calls, for each call anew. May raise BadKeyError and UnavailableError."""

HEALTH_PATH = "/healthz"
_SCOPE_KEY = "runledger.principal"
_RETRY_SECONDS = "2"
_LOG = structlog.get_logger()


def by_key(keyring: KeyRing, key: str) -> Identify:
    """Speak for the owner of one key, looked up for each call, so that a revoked one stops working."""

    async def identify() -> Principal:
        return await keyring.authenticate(key)

    return identify


def trusted(project_key: str) -> Identify:
    """Speak for a project without a key: only for a process that its own user starts."""
    principal = Principal(project_key, frozenset({"emit", "read"}))

    async def identify() -> Principal:
        return principal

    return identify


async def by_request() -> Principal:
    """Speak for the owner of the key in the HTTP request at hand, as `RequireKey` found it.

    Raises:
        BadKeyError: the request did not come through `RequireKey`.
    """
    principal = get_http_request().scope.get(_SCOPE_KEY)
    if not isinstance(principal, Principal):
        raise BadKeyError("an API key is needed: Authorization: Bearer rl.…")
    return principal


class RequireKey:
    """Let requests in that bear a living key: 401 without one, 503 where keys cannot be looked up.

    The key goes no further: what runs behind this sees the principal only.
    """

    def __init__(self, app: ASGIApp, keyring: KeyRing) -> None:
        self._app = app
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it through with its principal in the scope."""
        if scope["type"] != "http" or scope["path"] == HEALTH_PATH:
            await self._app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        try:
            principal = await self._keyring.authenticate(_bearer(given))
        except BadKeyError as error:
            _LOG.info("key_refused", reason=str(error))
            await _answer(401, str(error), "www-authenticate", "Bearer")(scope, receive, send)
        except UnavailableError as error:
            await _answer(503, str(error), "retry-after", _RETRY_SECONDS)(scope, receive, send)
        else:
            await self._app({**scope, "headers": headers, _SCOPE_KEY: principal}, receive, send)


def _bearer(given: list[bytes]) -> str | None:
    """Take the key out of the header; two headers are none."""
    if len(given) != 1:
        return None
    scheme, _, key = given[0].decode("latin-1").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _answer(status: int, error: str, header: str, value: str) -> JSONResponse:
    return JSONResponse({"error": error}, status_code=status, headers={header: value})
