"""What every route works with: the caller, the event made of the call, and the broker's word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import Request

from runledger.access.errors import ForbiddenError
from runledger.access.http.credentials import authenticate, forbidden
from runledger.access.http.errors import HttpError, invalid, retry_later
from runledger.access.keyring import KeyRing
from runledger.access.keys import Principal, Scope
from runledger.producers.doors import (
    Emission,
    Emitter,
    InvalidParameterError,
    ResultIds,
    Told,
    event_id_of,
    read_parameters,
)
from runledger.producers.doors.parameters import Parameters
from runledger.producers.gateway.body import read_json
from runledger.producers.gateway.settings import GatewaySettings
from runledger.producers.gateway.trust import trusted

ANSWER_SECONDS = 1.8
"""Looking the key up and waiting for the broker take no longer together: 503 comes within two seconds."""
PARSED_AT_ONCE = 2
"""Large requests of spans: hostile ones grow to a hundred times their size, and threads parse no faster together."""
ONCE_BY_KEY = "send it again with the same Idempotency-Key, and it counts once"
ONCE_BY_ID = "send it again with the same id, and it counts once"
PERHAPS_TWICE = (
    "it carried no Idempotency-Key, so sent again it may count twice; "
    "next time send one, and on this answer send it again with the same Idempotency-Key"
)
_Parameters = TypeVar("_Parameters", bound=Parameters)


@dataclass(frozen=True, slots=True)
class Telling(Generic[_Parameters]):
    """What can be told by one route.

    Args:
        kind: what its body holds.
        make: builds the event.
        scope: what the key must allow.
        internal: whether a trusted listener's callers need no key.
    """

    kind: type[_Parameters]
    make: Callable[[Principal, _Parameters, str | None], Told]
    scope: Scope = "emit"
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and how long it took to find out.

    Args:
        principal: on whose behalf.
        left_seconds: what is left of the time to answer, the body's arrival not counted.
    """

    principal: Principal
    left_seconds: float


class Gate:
    """Lets calls in. One per process."""

    def __init__(self, settings: GatewaySettings, keys: KeyRing, emitter: Emitter) -> None:
        self.settings = settings
        self.keys = keys
        self.emitter = emitter
        self.parsing = asyncio.Semaphore(PARSED_AT_ONCE)

    async def caller(self, request: Request, scope: Scope = "emit", *, internal: bool = False) -> Caller:
        """Authenticate; an internal route of a trusted listener needs no key.

        Raises:
            HttpError: 401, 403 or 503.
        """
        began = asyncio.get_running_loop().time()
        if internal and self.settings.is_trusted and "authorization" not in request.headers:
            principal = trusted(request, self.settings.project)
        else:
            principal = await authenticate(request, self.keys, scope)
        return Caller(principal, ANSWER_SECONDS - (asyncio.get_running_loop().time() - began))

    async def tell(
        self,
        request: Request,
        telling: Telling[_Parameters],
        route: str,
        idempotency_key: str | None,
        named: Mapping[str, str] | None = None,
    ) -> ResultIds:
        """Read a call, emit its event, and return the ids once the broker has it.

        Args:
            request: the call.
            telling: what it tells.
            route: what is called, for ids that must come out the same again.
            idempotency_key: from the call's header.
            named: parameters that the path names; the body may repeat, not contradict them.

        Raises:
            HttpError: any.
        """
        caller = await self.caller(request, telling.scope, internal=telling.internal)
        require_media_type(request, "application/json")
        body = await read_json(request)
        project_key = caller.principal.project_key
        event_id = None if idempotency_key is None else event_id_of(project_key, route, idempotency_key)
        try:
            parameters = await body.check(
                lambda document: read_parameters(telling.kind, _with_named(document, named or {}))
            )
            told = telling.make(caller.principal, parameters, event_id)
        except InvalidParameterError as error:
            raise invalid(error.field, error.reason) from error
        except ForbiddenError as error:
            raise forbidden(error) from error
        emission = await self.emitter.emit(told.event, caller.left_seconds)
        if emission.outcome != "delivered":
            raise undelivered(emission, ONCE_BY_KEY if idempotency_key is not None else PERHAPS_TWICE)
        return told.ids


def undelivered(emission: Emission, advice: str) -> HttpError:
    """Answer for an event the broker has not acknowledged.

    Args:
        emission: what became of it.
        advice: what to do when the outcome is unknown.
    """
    if emission.too_large:
        return HttpError(413, "too_large", emission.reason)
    if emission.outcome == "refused":
        return retry_later("not_accepted", f"nothing was recorded, send it again: {emission.reason}")
    message = f"the outcome is unknown, the broker has not acknowledged this in time: {advice}"
    return retry_later("outcome_unknown", message)


def media_type_of(request: Request) -> str:
    """Give the body's media type, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_media_type(request: Request, *media_types: str) -> str:
    """Give the body's media type.

    Raises:
        HttpError: 415, it is none of these. A browser sends none of them to another origin without asking first.
    """
    media_type = media_type_of(request)
    if media_type not in media_types:
        message = f"Content-Type must be {' or '.join(media_types)}"
        raise HttpError(415, "unsupported_media_type", message, "Content-Type", {"Accept-Post": ", ".join(media_types)})
    return media_type


def _with_named(document: object, named: Mapping[str, str]) -> object:
    if not isinstance(document, dict):
        return document
    for name, value in named.items():
        if str(document.get(name, value)).lower() != value:
            raise invalid(name, "is not the one in the path")
    return {**document, **named}
