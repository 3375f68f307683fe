"""The route that takes CloudEvents, one or many, and answers for each."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from runledger.access.http.answers import detail_of
from runledger.access.http.errors import HttpError, retry_later
from runledger.access.keys import Principal
from runledger.producers.doors import Emission
from runledger.producers.gateway.answers import (
    TELLING,
    EventResult,
    EventsAnswer,
    UndeliveredAnswer,
)
from runledger.producers.gateway.body import MAX_BATCH_BYTES, MAX_BODY_BYTES, read_json
from runledger.producers.gateway.cloud_event_documents import events_body
from runledger.producers.gateway.cloud_events import BATCHED, BINARY, STRUCTURED, documents_of, read_event
from runledger.producers.gateway.documents import KEYED
from runledger.producers.gateway.gate import ONCE_BY_ID, require_media_type, undelivered
from runledger.producers.gateway.routes import Key, TheGate
from runledger.schemas.run_events import AnyRunEvent

_RESPONSES: dict[int | str, dict[str, Any]] = {
    **TELLING,
    207: {"model": EventsAnswer, "description": "Of a batch, some events were refused; none is of unknown outcome."},
    422: {**TELLING[422], "model": UndeliveredAnswer},
    503: {**TELLING[503], "model": UndeliveredAnswer},
}
router = APIRouter(prefix="/api/v1", responses=_RESPONSES)


@router.post(
    "/events",
    openapi_extra={"requestBody": events_body(), "security": KEYED},
    operation_id="emit_events",
    response_model=EventsAnswer,
)
async def post_events(request: Request, gate: TheGate, idempotency_key: Key = None) -> Response:
    """Emit CloudEvents. An event's own id is its idempotency key; the header's adds nothing and is only checked.

    200: the broker has them all. 207: of a batch, some were refused, see each result; where all were, it is the status
    they have in common, or 422. 503: some outcome is unknown; send the whole batch again, the same ids count once.
    One event alone gets its own status.
    """
    caller = await gate.caller(request)
    media_type = require_media_type(request, STRUCTURED, BATCHED, BINARY)
    body = await read_json(request, MAX_BATCH_BYTES if media_type == BATCHED else MAX_BODY_BYTES)
    documents = documents_of(media_type, request.headers, body.document)
    read = await body.check(lambda _: [_read(caller.principal, document) for document in documents])
    if media_type != BATCHED and isinstance(read[0], HttpError):
        raise read[0]
    events = [event for event in read if not isinstance(event, HttpError)]
    emitted = await gate.emitter.emit_all(events, caller.left_seconds)
    if media_type != BATCHED and emitted[0].outcome != "delivered":
        raise undelivered(emitted[0], ONCE_BY_ID)
    emissions = iter(emitted)
    results = [
        _refused(index, documents[index], event)
        if isinstance(event, HttpError)
        else _emitted(index, event, next(emissions))
        for index, event in enumerate(read)
    ]
    return _answer(results)


def _read(principal: Principal, document: object) -> AnyRunEvent | HttpError:
    try:
        return read_event(principal, document)
    except HttpError as error:
        return error


def _emitted(index: int, event: AnyRunEvent, emission: Emission) -> EventResult:
    result = EventResult(index=index, id=event.event_id, run_id=event.run_id, outcome=emission.outcome, status=200)
    if emission.outcome == "delivered":
        return result
    error = undelivered(emission, ONCE_BY_ID)
    return result.model_copy(update={"status": error.status, "error": detail_of(error)})


def _refused(index: int, document: object, error: HttpError) -> EventResult:
    named = document.get("id") if isinstance(document, dict) else None
    event_id = named if isinstance(named, str) else None
    return EventResult(
        index=index, id=event_id, run_id=None, outcome="refused", status=error.status, error=detail_of(error)
    )


def _answer(results: list[EventResult]) -> Response:
    if any(result.status == HTTPStatus.SERVICE_UNAVAILABLE for result in results):
        error = retry_later("outcome_unknown", "some outcome is unknown: send the same events again, they count once")
        return _failed(error, results)
    if all(result.outcome == "refused" for result in results):
        return _failed(_all_refused(results), results)
    complete = all(result.outcome == "delivered" for result in results)
    status = HTTPStatus.OK if complete else HTTPStatus.MULTI_STATUS
    return JSONResponse(EventsAnswer(results=results).model_dump(mode="json"), status)


def _all_refused(results: list[EventResult]) -> HttpError:
    kinds = {(result.status, result.error.code) for result in results if result.error is not None}
    status, code = kinds.pop() if len(kinds) == 1 else (422, "invalid")
    return HttpError(status, code, "every event was refused; each result says why", "body")


def _failed(error: HttpError, results: list[EventResult]) -> Response:
    answer = UndeliveredAnswer(error=detail_of(error), results=results)
    return JSONResponse(answer.model_dump(mode="json"), error.status, error.headers)
