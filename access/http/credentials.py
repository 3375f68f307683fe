"""Find out on whose behalf a request is made."""

from __future__ import annotations

import structlog
from starlette.requests import Request

from runledger.access.errors import BadKeyError, ForbiddenError, UnavailableError
from runledger.access.http.errors import HttpError, retry_later
from runledger.access.keyring import KeyRing
from runledger.access.keys import Principal, Scope

_CHALLENGE = 'Bearer realm="runledger"'
_LOG = structlog.get_logger()


async def authenticate(request: Request, keys: KeyRing, scope: Scope) -> Principal:
    """Take the API key from `Authorization: Bearer …`; it must have the scope.

    Raises:
        HttpError: 401, 403 or 503.
    """
    header = request.headers.get("authorization")
    if header is None:
        raise unauthorized("an API key is needed: Authorization: Bearer rl.…", _CHALLENGE)
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorized("Authorization must be of the form: Bearer rl.…", _CHALLENGE)
    try:
        principal = await keys.authenticate(text.strip())
    except BadKeyError as error:
        raise unauthorized(str(error), f'{_CHALLENGE}, error="invalid_token"') from error
    except UnavailableError as error:
        message = "the API keys cannot be looked up just now; nothing was done, send it again"
        raise retry_later("keys_unavailable", message) from error
    try:
        principal.require(scope)
    except ForbiddenError as error:
        _LOG.warning("scope_refused", scope=scope, project_key=principal.project_key, key_id=str(principal.key_id))
        raise forbidden(error) from error
    return principal


def forbidden(error: ForbiddenError) -> HttpError:
    """Answer that the caller may not."""
    return HttpError(403, "forbidden", str(error))


def unauthorized(message: str, challenge: str) -> HttpError:
    """Answer that a valid key is needed (RFC 6750, section 3)."""
    return HttpError(401, "bad_key", message, "Authorization", {"WWW-Authenticate": challenge})
