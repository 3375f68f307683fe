"""Find out on whose behalf a request is made."""

from __future__ import annotations

from starlette.requests import Request

from runledger.access.errors import BadKeyError, ForbiddenError, UnavailableError
from runledger.access.keyring import KeyRing
from runledger.access.keys import Principal
from runledger.producers.doors.telling import require_emit
from runledger.producers.gateway.errors import HttpError, retry_later

_CHALLENGE = 'Bearer realm="runledger"'


async def authenticate(request: Request, keys: KeyRing) -> Principal:
    """Take the API key from `Authorization: Bearer …`; it must allow to emit.

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
        message = "the API keys cannot be looked up just now; nothing was recorded, send it again"
        raise retry_later("keys_unavailable", message) from error
    try:
        require_emit(principal, None)
    except ForbiddenError as error:
        raise forbidden(error) from error
    return principal


def trusted(request: Request, project_key: str) -> Principal:
    """Believe a caller without a key, on a listener that only our own programs reach.

    Web pages are not among them: a browser on the same machine reaches a loopback listener too, and names the page's
    Origin.

    Raises:
        HttpError: 403.
    """
    if "origin" in request.headers:
        raise HttpError(403, "forbidden", "a web page needs an API key", "Origin")
    return Principal(project_key, frozenset({"emit"}))


def forbidden(error: ForbiddenError) -> HttpError:
    """Answer that the caller may not."""
    return HttpError(403, "forbidden", str(error))


def unauthorized(message: str, challenge: str) -> HttpError:
    """Answer that a valid key is needed (RFC 6750, section 3)."""
    return HttpError(401, "bad_key", message, "Authorization", {"WWW-Authenticate": challenge})
