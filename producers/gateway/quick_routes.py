"""Answer the usual calls without FastAPI, which takes three times as long as everything we do for them ourselves.

A call in its usual form (a run's id written as we write it, at most one Idempotency-Key, of the form that is asked for)
goes to the very function its route calls, and gets the very answer. Every other goes on to the route, which takes it or
says why not. So the routes stay the one truth, and the document that FastAPI writes of them.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from runledger.access.http.answers import error_answer
from runledger.access.http.errors import HttpError
from runledger.producers.gateway import routes
from runledger.producers.gateway.gate import Gate, Telling

_OF_A_RUN: dict[str, Telling[Any]] = {
    "usage": routes.REPORTS_USAGE,
    "heartbeat": routes.LIVES,
    "end": routes.ENDS,
}
_OTHERS: dict[str, Telling[Any]] = {
    "runs": routes.STARTS,
    "failures": routes.FAILS,
    "records": routes.RECORDS,
    "internal/agent-run-log": routes.LOGS,
}
_PREFIX = f"{routes.router.prefix}/"
_in_run = re.compile(r"runs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([a-z]+)").fullmatch
_is_key = re.compile(rb"[\x21-\x7e]{1,255}").fullmatch
_KEY = b"idempotency-key"


class _Call(NamedTuple):
    telling: Telling[Any]
    route: str
    idempotency_key: str | None
    named: dict[str, str]


class QuickRoutes:
    """Middleware that stands before the routes.

    Args:
        app: all routes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a usual call, or hand it on."""
        call = call_of(scope)
        if call is None:
            await self._app(scope, receive, send)
        else:
            answer = await _answered(scope["app"].state.gate, Request(scope, receive), call)
            await answer(scope, receive, send)


def call_of(scope: Scope) -> _Call | None:
    """Recognise a call in its usual form."""
    if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(_PREFIX):
        return None
    route = scope["path"][len(_PREFIX) :]
    keys = [value for name, value in scope["headers"] if name == _KEY]
    if keys and (len(keys) > 1 or not _is_key(keys[0])):
        return None
    key = keys[0].decode() if keys else None
    if (telling := _OTHERS.get(route)) is not None:
        return _Call(telling, route, key, {})
    found = _in_run(route)
    if found is None or (telling := _OF_A_RUN.get(found[2])) is None:
        return None
    return _Call(telling, route, key, {"run_id": found[1]})


async def _answered(gate: Gate, request: Request, call: _Call) -> Response:
    try:
        ids = await gate.tell(request, call.telling, call.route, call.idempotency_key, call.named)
    except HttpError as error:
        return error_answer(error)
    if call.telling is routes.LOGS:
        return Response(status_code=204)
    return Response(orjson.dumps(ids._asdict()), 201, media_type="application/json")
