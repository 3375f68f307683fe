"""The route that takes spans of instrumented agents: OTLP over HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from runledger.access.http.errors import HttpError, retry_later
from runledger.producers.doors import Emission
from runledger.producers.gateway.body import MAX_BATCH_BYTES, read_body
from runledger.producers.gateway.documents import ANONYMOUS, KEYED
from runledger.producers.gateway.gate import Gate, media_type_of, require_media_type
from runledger.producers.gateway.routes import TheGate
from runledger.producers.gateway.span_answers import JSON, PROTOBUF, Encoding, failed, taken
from runledger.producers.gateway.span_documents import RESPONSES, spans_body
from runledger.producers.masking import masker_of
from runledger.producers.otlp import Mapped, Shortener, UnreadableError, map_reading, read_json
from runledger.producers.otlp.protobuf import read_protobuf
from runledger.producers.weighing import HEAVY_BYTES

ANSWER_SECONDS = 5.0
"""For the broker; exporters wait ten seconds unless told otherwise (OTLP exporter specification)."""
TOO_LARGE = "what a span tells takes more than an event may"
_READERS = {PROTOBUF: read_protobuf, JSON: read_json}
_LOG = structlog.get_logger()
router = APIRouter()


@router.post(
    "/v1/traces",
    openapi_extra={"requestBody": spans_body(), "security": [*KEYED, *ANONYMOUS]},
    operation_id="export_traces",
    responses=RESPONSES,
    response_class=Response,
)
async def post_traces(request: Request, gate: TheGate) -> Response:
    """Take spans as OTLP's exporters send them. On a trusted listener it needs no key.

    200: the broker has what they tell; `partial_success` names spans that cannot be taken, not to be sent again.
    503: some outcome is unknown; sent again, the same spans count once.
    """
    encoding: Encoding = PROTOBUF if media_type_of(request) == PROTOBUF else JSON
    try:
        refused = await _take(request, gate, encoding)
    except HttpError as error:
        return failed(encoding, error)
    return taken(encoding, refused)


async def _take(request: Request, gate: Gate, encoding: Encoding) -> Counter[str]:
    """Emit what a request's spans tell; return why some were refused, to how many.

    Raises:
        HttpError: 400, 401, 403, 408, 413, 415 or 503.
    """
    caller = await gate.caller(request, internal=True)
    require_media_type(request, PROTOBUF, JSON)
    body = await read_body(request, MAX_BATCH_BYTES)
    project_key = caller.principal.project_key
    shortener = Shortener(masker_of(gate.settings.mask_patterns))
    if len(body) > HEAVY_BYTES:
        async with gate.parsing:
            mapped = await asyncio.to_thread(_map, project_key, encoding, body, shortener)
    else:
        mapped = _map(project_key, encoding, body, shortener)
    emitted = await gate.emitter.emit_all(mapped.events, ANSWER_SECONDS)
    refused = mapped.refused + too_large(emitted)
    _LOG.debug("spans_taken", project_key=project_key, count=mapped.span_count, ignored=mapped.ignored)
    if refused:
        _LOG.warning("spans_refused", project_key=project_key, count=refused.total(), reasons=sorted(refused))
    return refused


def _map(project_key: str, encoding: Encoding, body: bytes, shortener: Shortener) -> Mapped:
    try:
        return map_reading(project_key, _READERS[encoding](body), shortener)
    except UnreadableError as error:
        raise HttpError(400, "bad_body", str(error), "body") from error


def too_large(emitted: list[Emission]) -> Counter[str]:
    """Count what was too large to send; no repetition mends that.

    Raises:
        HttpError: 503, the broker has not acknowledged all others.
    """
    if any(emission.outcome != "delivered" and not emission.too_large for emission in emitted):
        message = "the broker has not acknowledged all of it in time: send the same spans again, they count once"
        raise retry_later("outcome_unknown", message)
    count = sum(emission.too_large for emission in emitted)
    return Counter({TOO_LARGE: count}) if count else Counter()
