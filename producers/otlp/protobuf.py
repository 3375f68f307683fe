"""Read spans from protobuf: `ExportTraceServiceRequest` of opentelemetry-proto."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from runledger.producers.otlp.errors import RefusedSpanError, UnreadableError
from runledger.producers.otlp.spans import (
    MAX_ATTRIBUTES,
    MAX_EVENTS,
    MAX_ITEMS,
    MAX_SHARED_TEXT,
    MAX_SPANS,
    MAX_VALUE_DEPTH,
    TOO_MANY_SPANS,
    Attributes,
    Identity,
    Reading,
    Span,
    SpanEvent,
    Times,
    clean,
    finite,
    make_span,
    printable,
    require_few,
    shared,
)


def read_protobuf(body: bytes) -> Reading:
    """Read a request.

    Raises:
        UnreadableError: it is not such a message.
    """
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise UnreadableError("not a protobuf ExportTraceServiceRequest") from error
    reading = Reading()
    for resource_spans in request.resource_spans:
        resource = shared(_attributes(resource_spans.resource.attributes))
        for scope_spans in resource_spans.scope_spans:
            # Read once: each reading of a message's text makes another copy of it.
            scope = clean(scope_spans.scope.name)[:MAX_SHARED_TEXT]
            for raw in scope_spans.spans:
                if len(reading.spans) + reading.refused.total() >= MAX_SPANS:
                    reading.refused[TOO_MANY_SPANS] += 1
                    continue
                try:
                    reading.spans.append(_span(raw, (resource, scope)))
                except RefusedSpanError as error:
                    reading.refused[str(error)] += 1
    return reading


def _span(raw: trace_pb2.Span, within: tuple[Attributes, str]) -> Span:
    require_few("events", len(raw.events), MAX_EVENTS)
    require_few("attributes", len(raw.attributes), MAX_ATTRIBUTES)
    return make_span(
        within,
        Identity.of(raw.trace_id, raw.span_id, raw.parent_span_id),
        Times.of(raw.start_time_unix_nano, raw.end_time_unix_nano),
        name=raw.name,
        kind=raw.kind,
        attributes=_attributes(raw.attributes),
        events=tuple([SpanEvent(clean(event.name), _attributes(event.attributes)) for event in raw.events]),
        status=(raw.status.code, raw.status.message),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in islice(pairs, MAX_ITEMS):
        name, value = pair.key, pair.value
        # Most are texts or counts, and to ask first what a value is takes as long as to read it.
        text = value.string_value
        plain = clean(text) if text else value.int_value or _plain(value, 1)
        found[clean(name) if "\x00" in name else name] = plain
    return found


def _plain(value: AnyValue, depth: int) -> Any:  # noqa: ANN401, PLR0911  # any JSON value; one return per kind of value
    match value.WhichOneof("value"):
        case "string_value":
            return clean(value.string_value)
        case "int_value":
            return value.int_value
        case "double_value":
            return finite(value.double_value)
        case "bool_value":
            return value.bool_value
        case "bytes_value":
            return printable(value.bytes_value)
        case "array_value" if depth < MAX_VALUE_DEPTH:
            return [_plain(item, depth + 1) for item in islice(value.array_value.values, MAX_ITEMS)]
        case "kvlist_value" if depth < MAX_VALUE_DEPTH:
            pairs = islice(value.kvlist_value.values, MAX_ITEMS)
            return {clean(pair.key): _plain(pair.value, depth + 1) for pair in pairs}
        case _:
            return None
