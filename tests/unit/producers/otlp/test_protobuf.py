"""Protobuf: what it alone can hold. What both encodings have in common is shown in test_documents."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from runledger.producers.otlp import UnreadableError
from runledger.producers.otlp.protobuf import read_protobuf
from tests.unit.producers.otlp.requests import BEGAN, as_protobuf, raw_span, request


def message(*spans: Span) -> bytes:
    resource_spans = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    return ExportTraceServiceRequest(resource_spans=[resource_spans]).SerializeToString()


def span(**fields: object) -> Span:
    known = {"trace_id": b"t" * 16, "span_id": b"s" * 8, "start_time_unix_nano": BEGAN, "end_time_unix_nano": BEGAN}
    return Span(**{**known, **fields})  # type: ignore[arg-type]  # each test names fields of its own


def test_an_empty_request_holds_no_spans() -> None:
    assert read_protobuf(b"").spans == []


def test_numbers_that_are_none_become_nothing() -> None:
    pairs = [KeyValue(key=str(n), value=AnyValue(double_value=n)) for n in (float("nan"), float("inf"))]
    (read,) = read_protobuf(message(span(attributes=pairs))).spans
    assert set(read.attributes.values()) == {None}


def test_what_lies_too_deep_is_left_out() -> None:
    deep = AnyValue(string_value="bottom")
    for _ in range(20):
        deep = AnyValue(array_value=ArrayValue(values=[deep]))
    (read,) = read_protobuf(message(span(attributes=[KeyValue(key="deep", value=deep)]))).spans
    assert "bottom" not in str(read.attributes)


@pytest.mark.parametrize(
    "change",
    [
        {"trace_id": b""},
        {"trace_id": b"t" * 15},
        {"trace_id": bytes(16)},
        {"span_id": b"s"},
        {"span_id": bytes(8)},
        {"parent_span_id": b"p"},
        {"start_time_unix_nano": 0},
        {"end_time_unix_nano": 0},
        {"events": [Span.Event()] * 1025},
        {"attributes": [KeyValue(key="k")] * 4097},
    ],
    ids=range(10),
)
def test_a_span_that_cannot_be_taken_is_refused_alone(change: dict[str, object]) -> None:
    reading = read_protobuf(message(span(), span(**change)))
    assert (len(reading.spans), reading.refused.total()) == (1, 1)


@pytest.mark.parametrize("cut", [1, 7, 50])
def test_half_a_message_cannot_be_read(cut: int) -> None:
    body = as_protobuf(request(raw_span({"a": "b"})))
    with pytest.raises(UnreadableError):
        read_protobuf(body[:-cut])
