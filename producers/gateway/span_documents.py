"""How the OpenAPI document describes OTLP: its JSON by schemas, its protobuf by name."""

from __future__ import annotations

from typing import Any

from runledger.access.http.answers import HEADERS
from runledger.producers.gateway.span_answers import JSON, PROTOBUF

_REF = "#/components/schemas/"
_WHOLE = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]{1,18}$"}]}
_NUMBER = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^(NaN|-?Infinity|-?[0-9]{1,20}(\.[0-9]{1,20})?)$"}]
}
_TEXT = {"type": "string"}
_EXAMPLE = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "sage"}}]},
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "5b8efff798038103d269b633813fc60c",
                            "spanId": "eee19b7ec3c1b174",
                            "name": "chat gpt-4o",
                            "kind": 3,
                            "startTimeUnixNano": "1767225600000000000",
                            "endTimeUnixNano": "1767225601000000000",
                            "attributes": [
                                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                                {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}},
                                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "120"}},
                            ],
                        }
                    ]
                }
            ],
        }
    ]
}
_DESCRIPTIONS = {
    400: "The body cannot be decoded, ended early, or its compression is broken. Not to be sent again.",
    401: "No valid API key.",
    403: "The key does not allow this.",
    408: "The body does not arrive.",
    413: "The body is too large. Not to be sent again.",
    415: "The media type or content coding is not understood.",
    503: "The broker or the keys do not answer in time. To be sent again; the same spans count once.",
}


def spans_body() -> dict[str, Any]:
    """Document the body."""
    return {"required": True, "content": _contents("ExportTraceServiceRequest", _EXAMPLE)}


def span_schemas() -> dict[str, Any]:
    """Give the schemas of what is read of OTLP's JSON; names that are not in them are ignored."""
    return {
        "ExportTraceServiceRequest": _message(resourceSpans=_list("ResourceSpans")),
        "ResourceSpans": _message(resource=_one("OtlpResource"), scopeSpans=_list("ScopeSpans")),
        "OtlpResource": _message(attributes=_list("KeyValue")),
        "ScopeSpans": _message(scope=_one("OtlpScope"), spans=_list("OtlpSpan")),
        "OtlpScope": _message(name=_TEXT),
        "OtlpSpan": _message(
            traceId=_TEXT,
            spanId=_TEXT,
            parentSpanId=_TEXT,
            name=_TEXT,
            kind=_WHOLE,
            startTimeUnixNano=_WHOLE,
            endTimeUnixNano=_WHOLE,
            attributes=_list("KeyValue"),
            events=_list("OtlpEvent"),
            status=_one("OtlpStatus"),
        ),
        "OtlpEvent": _message(name=_TEXT, attributes=_list("KeyValue")),
        "OtlpStatus": _message(code=_WHOLE, message=_TEXT),
        "KeyValue": _message(key=_TEXT, value=_one("AnyValue")),
        "AnyValue": _message(
            stringValue=_TEXT,
            bytesValue=_TEXT,
            boolValue={"type": "boolean"},
            intValue=_WHOLE,
            doubleValue=_NUMBER,
            arrayValue=_one("ArrayValue"),
            kvlistValue=_one("KeyValueList"),
        ),
        "ArrayValue": _message(values=_list("AnyValue")),
        "KeyValueList": _message(values=_list("KeyValue")),
        "ExportTraceServiceResponse": _message(partialSuccess=_one("ExportTracePartialSuccess")),
        "ExportTracePartialSuccess": _message(rejectedSpans=_TEXT, errorMessage=_TEXT),
        "RpcStatus": _message(code={"type": "integer"}, message=_TEXT, details={"type": "array", "items": {}}),
    }


def _message(**fields: dict[str, Any]) -> dict[str, Any]:
    """Describe a protobuf message in JSON: every field may be left out or null."""
    return {"type": "object", "properties": {name: {"anyOf": [of, {"type": "null"}]} for name, of in fields.items()}}


def _one(name: str) -> dict[str, Any]:
    return {"$ref": _REF + name}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _one(name)}


def _contents(name: str, example: dict[str, Any] | None = None) -> dict[str, Any]:
    shown = {} if example is None else {"example": example}
    return {
        JSON: {"schema": _one(name), **shown},
        PROTOBUF: {"schema": {"type": "string", "format": "binary", "description": f"A protobuf {name}."}},
    }


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The broker has it, but for spans that `partialSuccess` counts.",
        "content": _contents("ExportTraceServiceResponse"),
    },
    **{
        status: {"description": description, "headers": HEADERS.get(status, {}), "content": _contents("RpcStatus")}
        for status, description in _DESCRIPTIONS.items()
    },
}
