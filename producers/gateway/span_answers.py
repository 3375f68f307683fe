"""Answers to OTLP, in the encoding of the request (OTLP specification, "OTLP/HTTP Response")."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import Final, Literal, TypeAlias

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code  # type: ignore[import-untyped]  # stubs without py.typed
from google.rpc.error_details_pb2 import BadRequest  # type: ignore[import-untyped]  # stubs without py.typed
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # stubs without py.typed
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.responses import Response

from runledger.access.http.errors import HttpError

Encoding: TypeAlias = Literal["application/x-protobuf", "application/json"]
PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
_RPC_CODES = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    408: Code.DEADLINE_EXCEEDED,
    413: Code.RESOURCE_EXHAUSTED,
    415: Code.INVALID_ARGUMENT,
    503: Code.UNAVAILABLE,
}


def taken(encoding: Encoding, refused: Counter[str]) -> Response:
    """Answer that the broker has everything but what was refused, which is not to be sent again.

    Args:
        encoding: of the request.
        refused: why spans were, to how many.
    """
    answer = ExportTraceServiceResponse()
    if refused:
        answer.partial_success.rejected_spans = refused.total()
        answer.partial_success.error_message = "; ".join(f"{count}: {why}" for why, count in refused.most_common())
    return _answer(encoding, HTTPStatus.OK, answer)


def failed(encoding: Encoding, error: HttpError) -> Response:
    """Answer that nothing is known to be taken."""
    status = Status(code=_RPC_CODES.get(error.status, Code.UNKNOWN), message=error.message)
    if error.status == HTTPStatus.BAD_REQUEST:
        violation = BadRequest.FieldViolation(field=error.field or "body", description=error.message)
        status.details.add().Pack(BadRequest(field_violations=[violation]))
    return _answer(encoding, error.status, status, error.headers)


def _answer(encoding: Encoding, status: int, message: Message, headers: dict[str, str] | None = None) -> Response:
    content = message.SerializeToString() if encoding == PROTOBUF else orjson.dumps(MessageToDict(message))
    return Response(content, status, headers, encoding)
