"""OTLP requests for tests: written once, sent as JSON and as protobuf."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import orjson
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runledger.producers.masking import masker_of
from runledger.producers.otlp import Shortener, Span, events_of, read_json
from runledger.producers.tellings import Tellable, Telling
from runledger.schemas.codec import decode_event
from runledger.schemas.run_events import AnyRunEvent

Document: TypeAlias = dict[str, Any]
TRACE = "5b8efff798038103d269b633813fc60c"
ROOT = "00000000000000a1"
CHILD = "00000000000000b2"
BEGAN = 1_750_000_000_000_000_000
"""15 June 2025, 15:06:40 UTC."""
SHORTENER = Shortener(masker_of({}))


def value(plain: object) -> Document:  # noqa: PLR0911  # one return per kind of value
    """Write an AnyValue."""
    match plain:
        case None:
            return {}
        case bool():
            return {"boolValue": plain}
        case int():
            return {"intValue": str(plain)}
        case float():
            return {"doubleValue": plain}
        case bytes():
            return {"bytesValue": base64.b64encode(plain).decode()}
        case list():
            return {"arrayValue": {"values": [value(item) for item in plain]}}
        case dict():
            return {"kvlistValue": {"values": pairs(plain)}}
        case _:
            return {"stringValue": str(plain)}


def pairs(attributes: Mapping[str, object]) -> list[Document]:
    """Write attributes."""
    return [{"key": name, "value": value(plain)} for name, plain in attributes.items()]


def raw_span(
    attributes: Mapping[str, object] | None = None,
    *,
    span_id: str = CHILD,
    parent: str | None = ROOT,
    trace_id: str = TRACE,
    name: str = "step",
    kind: int = 1,
    start_ms: int = 0,
    end_ms: int = 1000,
    events: Iterable[tuple[str, Mapping[str, object]]] = (),
    status: Document | None = None,
) -> Document:
    """Write a span; times are milliseconds after `BEGAN`."""
    return {
        "traceId": trace_id,
        "spanId": span_id,
        **({} if parent is None else {"parentSpanId": parent}),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(BEGAN + start_ms * 1_000_000),
        "endTimeUnixNano": str(BEGAN + end_ms * 1_000_000),
        "attributes": pairs(attributes or {}),
        "events": [{"name": name, "timeUnixNano": "1", "attributes": pairs(of)} for name, of in events],
        "status": status or {},
    }


def request(
    *spans: Document, resource: Mapping[str, object] | None = None, scope: str = "openinference.instrumentation.openai"
) -> Document:
    """Write a request of one process."""
    described = {"service.name": "sage"} if resource is None else resource
    scoped = [{"scope": {"name": scope, "version": "1"}, "spans": list(spans)}]
    return {"resourceSpans": [{"resource": {"attributes": pairs(described)}, "scopeSpans": scoped}]}


def as_json(document: Document) -> bytes:
    """Encode a request as OTLP's JSON."""
    return orjson.dumps(document)


def as_protobuf(document: Document) -> bytes:
    """Encode a request as protobuf. Its own JSON has ids in base64."""
    plain = orjson.loads(orjson.dumps(document))
    for resource_spans in plain["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(plain, ExportTraceServiceRequest()).SerializeToString()


def one_span(
    attributes: Mapping[str, object] | None = None,
    *,
    resource: Mapping[str, object] | None = None,
    scope: str = "openinference.instrumentation.openai",
    **options: Any,  # noqa: ANN401  # as raw_span takes them
) -> Span:
    """Make a span as a reader gives it."""
    document = request(raw_span(attributes, **options), resource=resource, scope=scope)
    (span,) = read_json(as_json(document)).spans
    return span


def told(span: Span) -> dict[str, AnyRunEvent]:
    """Map a span; return the events by the last two parts of their types."""
    return {event.type.split(".")[1] + "." + event.type.split(".")[2]: event for event in told_in_order(span)}


def told_in_order(span: Span) -> list[AnyRunEvent]:
    """Map a span, as project `p`."""
    return [modelled(event) for event in events_of("p", span, SHORTENER)]


def modelled(told: Tellable) -> AnyRunEvent:
    """Read what is told as everybody reads it."""
    return decode_event(told.value) if isinstance(told, Telling) else told
