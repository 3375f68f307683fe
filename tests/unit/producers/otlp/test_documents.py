"""OTLP's JSON: what is read, what is ignored, what is refused and what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.producers.otlp import Reading, UnreadableError, events_of, read_json
from runledger.producers.otlp.protobuf import read_protobuf
from runledger.producers.otlp.spans import MAX_SPANS, TOO_MANY_SPANS
from tests.unit.producers.otlp.requests import (
    BEGAN,
    CHILD,
    ROOT,
    SHORTENER,
    TRACE,
    Document,
    as_json,
    as_protobuf,
    one_span,
    raw_span,
    request,
)

ATTRIBUTES = {
    "text": "héllo",
    "whole": 2**53 + 1,
    "negative": -7,
    "real": 0.25,
    "yes": True,
    "no": False,
    "nothing": None,
    "bytes": b"\x00\xff",
    "list": ["a", 1, 2.5, False],
    "object": {"inner": {"deep": [1]}},
}
PLAIN = {**ATTRIBUTES, "bytes": "AP8="}


def test_every_kind_of_value_is_read() -> None:
    assert one_span(ATTRIBUTES).attributes == PLAIN


def test_a_span_is_read_whole() -> None:
    span = one_span(
        {"a": 1},
        name="chat gpt-4o",
        kind=3,
        end_ms=1500,
        events=[("exception", {"exception.type": "ValueError"})],
        status={"code": 2, "message": "boom"},
        resource={"service.name": "sage"},
    )
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE, CHILD, ROOT)
    assert (span.name, span.kind, span.scope) == ("chat gpt-4o", "client", "openinference.instrumentation.openai")
    assert span.started_at == datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)
    assert (span.ended_at - span.started_at).total_seconds() == 1.5
    assert span.duration_ms == 1500
    assert span.resource == {"service.name": "sage"}
    assert span.events[0].name == "exception"
    assert span.events[0].attributes == {"exception.type": "ValueError"}
    assert (span.failed, span.status_message) == (True, "boom")


def test_both_encodings_say_the_same() -> None:
    document = request(
        raw_span(ATTRIBUTES, parent=None, span_id=ROOT, events=[("e", ATTRIBUTES)], status={"code": 2, "message": "x"}),
        raw_span({"gen_ai.operation.name": "chat"}, kind=99),
    )
    assert read_json(as_json(document)) == read_protobuf(as_protobuf(document))


def test_ids_are_read_in_upper_case_too() -> None:
    upper = raw_span(trace_id=TRACE.upper(), span_id=CHILD.upper())
    (span,) = read_json(as_json(request(upper))).spans
    assert (span.trace_id, span.span_id) == (TRACE, CHILD)


def test_integers_are_read_as_numbers_too() -> None:
    raw = raw_span() | {"startTimeUnixNano": BEGAN, "kind": 3.0}
    raw["attributes"] = [{"key": "n", "value": {"intValue": 7}}, {"key": "d", "value": {"doubleValue": "0.5"}}]
    (span,) = read_json(as_json(request(raw))).spans
    assert (span.attributes, span.kind) == ({"n": 7, "d": 0.5}, "client")


def test_what_json_cannot_hold_becomes_nothing() -> None:
    raw = raw_span()
    raw["attributes"] = [{"key": name, "value": {"doubleValue": name}} for name in ("NaN", "Infinity", "-Infinity")]
    (span,) = read_json(as_json(request(raw))).spans
    assert set(span.attributes.values()) == {None}


def test_unknown_names_and_nulls_are_ignored() -> None:
    document = request(raw_span({"a": 1}) | {"traceState": "x", "flags": 257, "links": None, "newField": {"b": []}})
    document["resourceSpans"][0]["schemaUrl"] = "https://example.com"
    document["resourceSpans"].append({"resource": None, "scopeSpans": None})
    document["extra"] = 1
    (span,) = read_json(as_json(document)).spans
    assert span.attributes == {"a": 1}


def test_snake_case_names_are_unknown_names() -> None:
    assert read_json(orjson.dumps({"resource_spans": [{}]})).spans == []


def test_nul_characters_are_replaced() -> None:
    span = one_span({"a\x00b": ["c\x00d"]}, name="e\x00f")
    assert (span.attributes, span.name) == ({"a\ufffdb": ["c\ufffdd"]}, "e\ufffdf")


def test_what_lies_too_deep_is_left_out() -> None:
    deep: object = "bottom"
    for _ in range(40):
        deep = [deep]
    span = one_span({"deep": deep})
    assert b"bottom" not in orjson.dumps(span.attributes)


def test_what_stands_beyond_the_bound_of_a_collection_is_left_out() -> None:
    many = {"list": [1] * 5000, "object": {str(n): n for n in range(5000)}}
    resource = {str(n): n for n in range(5000)}
    document = request(raw_span(many, events=[("e", resource)]), resource=resource)
    for reading in (read_json(as_json(document)), read_protobuf(as_protobuf(document))):
        (span,) = reading.spans
        held = [span.attributes["list"], span.attributes["object"], span.resource, span.events[0].attributes]
        assert [len(items) for items in held] == [4096] * 4


def test_what_spans_share_is_held_once_and_short() -> None:
    """One request may have ten thousand spans: a long text of each would fill the memory."""
    long = "x " * 1_000_000
    document = request(raw_span(), raw_span(), resource={"service.name": long}, scope=long)
    for reading in (read_json(as_json(document)), read_protobuf(as_protobuf(document))):
        one, other = reading.spans
        assert one.scope is other.scope
        assert one.resource is other.resource
        assert (one.scope, one.resource) == (long[:8192], {"service.name": long[:8192]})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"traceId": "00" * 16}, "trace id"),
        ({"traceId": "ab"}, "trace id"),
        ({"traceId": ""}, "trace id"),
        ({"traceId": "zz" * 16}, "hexadecimal"),
        ({"spanId": "00" * 8}, "span id"),
        ({"spanId": "ab" * 9}, "span id"),
        ({"parentSpanId": "abcd"}, "parent span id"),
        ({"startTimeUnixNano": "0"}, "time"),
        ({"endTimeUnixNano": None}, "time"),
        ({"endTimeUnixNano": str(2**64)}, "time"),
        ({"startTimeUnixNano": "-5"}, "time"),
        ({"events": [{}] * 1025}, "events"),
        ({"attributes": [{"key": str(n)} for n in range(4097)]}, "attributes"),
    ],
    ids=lambda given: "" if isinstance(given, dict) else given,
)
def test_a_span_that_cannot_be_taken_is_refused_alone(change: Document, why: str) -> None:
    reading = read_json(as_json(request(raw_span(), raw_span() | change)))
    assert len(reading.spans) == 1
    ((reason, count),) = reading.refused.items()
    assert why in reason
    assert count == 1


def test_an_end_before_the_start_makes_no_negative_duration() -> None:
    span = one_span(start_ms=1000, end_ms=0)
    assert (span.ended_at, span.duration_ms) == (span.started_at, 0)


def test_an_all_zero_parent_is_none() -> None:
    assert one_span(parent="00" * 8).parent_span_id is None


def test_spans_beyond_the_bound_are_refused() -> None:
    document = request(*[raw_span()] * (MAX_SPANS + 3))
    for reading in (read_json(as_json(document)), read_protobuf(as_protobuf(document))):
        assert len(reading.spans) == MAX_SPANS
        assert reading.refused == {TOO_MANY_SPANS: 3}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b"[" * 5000,
        b'{"x": [' + b"[]," * 1_000_000 + b"1]}",
        b'{"resourceSpans": {}}',
        b'{"resourceSpans": [1]}',
        b'{"resourceSpans": [{"resource": []}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"scope": {"name": 1}}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 1}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "SPAN_KIND_CLIENT"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": 1.5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": true}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "1_0"}]}]}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"value": {"intValue": "99999999999999999999"}}]}}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"value": {"doubleValue": "many"}}]}}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"value": {"doubleValue": true}}]}}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"value": {"boolValue": "true"}}]}}]}',
    ],
    ids=range(20),
)
def test_what_is_no_such_document_cannot_be_read(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_json(body)


_NAMES = st.sampled_from(
    [
        *("resourceSpans", "scopeSpans", "spans", "scope", "resource", "attributes", "events", "status", "name"),
        *("traceId", "spanId", "parentSpanId", "kind", "startTimeUnixNano", "endTimeUnixNano", "key", "value", "code"),
        *("stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "values", "message"),
    ]
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "1", TRACE, CHILD, str(BEGAN), "gen_ai.operation.name", "chat", "gen_ai.input.messages"]),
    st.text(max_size=8),
)
_DOCUMENTS = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=30,
)


def map_all(reading: Reading) -> None:
    for span in reading.spans:
        events_of("p", span, SHORTENER)


@given(_DOCUMENTS)
def test_any_json_is_read_or_named_unreadable(document: object) -> None:
    try:
        map_all(read_json(orjson.dumps(document)))
    except UnreadableError as error:
        assert str(error)  # noqa: PT017  # either is right


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_named_unreadable(body: bytes) -> None:
    for read in (read_json, read_protobuf):
        try:
            map_all(read(body))
        except UnreadableError as error:
            assert str(error)  # noqa: PT017  # either is right


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            '[{"role": "user", "content": "hi"}]',
            '[{"role": "user", "parts": [{"type": "text", "content": "hi\\u0000"}]}]',
            '[{"role": null, "content": [null, 1, {"text": 2}]}]',
            '[{"role": [], "content": [{"type": [], "text": "x"}, {"type": {}, "text": []}]}]',
            "[[[]]]",
            "x" * 3000,
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_TELLING = st.sampled_from(
    [
        *("gen_ai.operation.name", "openinference.span.kind", "llm.request.type", "traceloop.span.kind"),
        *("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "gen_ai.agent.name", "agent.name"),
        *("gen_ai.usage.input_tokens", "llm.token_count.prompt", "llm.cost.total", "llm.cost.prompt"),
        *("llm.cost.completion", "gen_ai.usage.cost", "llm.token_count.completion_details.reasoning"),
        *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.completion", "input.value"),
        *("llm.input_messages.0.message.content", "llm.input_messages.0.message.role", "output.value"),
        *("gen_ai.prompt.0.content", "gen_ai.completion.7.content", "exception.type", "exception.message"),
        *("exception.stacktrace", "error.type", "gen_ai.tool.name", "gen_ai.tool.call.arguments", "session.id"),
        *("runledger.task_id", "service.name", "runledger.usage_scopes", "tool.parameters"),
    ]
)
_KIND_VALUES = st.sampled_from(["LLM", "AGENT", "TOOL", "RETRIEVER", "EMBEDDING", "chat", "execute_tool", "other"])
_ATTRIBUTES = st.dictionaries(_TELLING, _VALUES | _KIND_VALUES, max_size=8)


@given(
    _ATTRIBUTES,
    _KIND_VALUES,
    st.lists(st.tuples(st.sampled_from(["exception", "gen_ai.content.prompt", "x"]), _ATTRIBUTES), max_size=2),
    st.sampled_from([None, ROOT]),
    st.integers(0, 3),
    st.text(max_size=300),
    _ATTRIBUTES,
)
def test_whatever_the_attributes_hold_a_span_becomes_valid_events(
    attributes: dict[str, Any],
    kind: str,
    events: list[tuple[str, dict[str, Any]]],
    parent: str | None,
    code: int,
    text: str,
    resource: dict[str, Any],
) -> None:
    document = request(
        raw_span(
            {"openinference.span.kind": kind, **attributes},
            parent=parent,
            events=events,
            status={"code": code, "message": text},
            name=text,
        ),
        resource=resource,
    )
    try:
        body = orjson.dumps(document)
    except orjson.JSONEncodeError:  # a lone surrogate, which no JSON may hold
        return
    map_all(read_json(body))
