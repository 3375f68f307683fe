"""Spans as events of a run, and the run that the ledger makes of them, in any order."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.ledger import apply
from runledger.producers.otlp import Span, map_reading, read_json
from runledger.producers.otlp.protobuf import read_protobuf
from runledger.schemas.codec import decode_event, encode_event
from runledger.schemas.lean_events import lean
from runledger.schemas.run_events import AnyRunEvent, FailureRecorded, RunEnded, RunStarted, UsageReported
from runledger.schemas.snapshots import RunSnapshot
from tests.unit.processors.histories import at, timeless
from tests.unit.producers.otlp.requests import (
    ROOT,
    SHORTENER,
    TRACE,
    Document,
    as_json,
    as_protobuf,
    modelled,
    one_span,
    raw_span,
    request,
    told,
    told_in_order,
)

BEGAN = datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)
AGENT = {"openinference.span.kind": "AGENT", "agent.name": "scout", "input.value": "Find it", "output.value": "Found"}
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 100,
}


def root(attributes: dict[str, Any] | None = None, **options: Any) -> Span:  # noqa: ANN401  # as one_span
    return one_span(AGENT if attributes is None else attributes, span_id=ROOT, parent=None, name="run", **options)


def test_the_span_without_a_parent_is_the_run() -> None:
    start, end = told_in_order(root({**AGENT, "session.id": "s1", "gen_ai.conversation.id": "c1", "task.id": "T-1"}))
    assert isinstance(start, RunStarted)
    assert isinstance(end, RunEnded)
    assert start.run_id == end.run_id == UUID(TRACE)
    assert (start.agent_id, end.agent_id) == ("scout", "scout")
    assert (start.occurred_at, end.occurred_at) == (BEGAN, BEGAN + timedelta(seconds=1))
    assert (start.data.summary, start.data.task_id) == ("Find it", "T-1")
    assert start.data.meta == {
        "span_id": ROOT,
        "name": "run",
        "session_id": "s1",
        "conversation_id": "c1",
        "service": "sage",
    }
    assert (end.data.status, end.data.summary, end.data.traces) == ("completed", "Found", [])


def test_a_call_of_a_model_is_usage() -> None:
    (event,) = told_in_order(one_span(CALL))
    assert isinstance(event, UsageReported)
    assert event.occurred_at == BEGAN + timedelta(seconds=1)
    assert event.data.token_usage.input_tokens == 1000
    assert [trace["kind"] for trace in event.data.traces] == ["llm"]


@pytest.mark.parametrize("kind", ["TOOL", "AGENT", "CHAIN", "RETRIEVER", "RERANKER", "GUARDRAIL", "EVALUATOR"])
def test_any_other_step_is_a_trace_entry_without_tokens(kind: str) -> None:
    counted = {"openinference.span.kind": kind, "llm.token_count.prompt": 1000, "llm.cost.total": 1.0}
    (event,) = told_in_order(one_span(counted))
    assert isinstance(event, UsageReported)
    assert event.data.token_usage.model_dump(exclude_none=True) == {}
    assert [trace["kind"] for trace in event.data.traces] == [kind.lower()]


def test_a_call_outside_any_span_is_a_run_of_its_own() -> None:
    assert set(told(root(CALL, kind=3))) == {"run.started", "usage.reported", "run.ended"}


def test_a_tool_outside_any_span_is_a_run_and_its_step() -> None:
    assert set(told(root({"openinference.span.kind": "TOOL"}))) == {"run.started", "usage.reported", "run.ended"}


@pytest.mark.parametrize(
    ("attributes", "parent", "kind"),
    [({"http.request.method": "GET"}, ROOT, 3), ({"db.system": "postgresql"}, None, 3), ({}, ROOT, 1)],
    ids=["http", "database", "inner"],
)
def test_what_is_no_step_is_ignored(attributes: dict[str, Any], parent: str | None, kind: int) -> None:
    assert told_in_order(one_span(attributes, parent=parent, kind=kind, status={"code": 2})) == []


def test_a_failed_run_has_failed() -> None:
    events = told(root(status={"code": 2, "message": "boom"}))
    failure, end = events["failure.recorded"], events["run.ended"]
    assert isinstance(failure, FailureRecorded)
    assert isinstance(end, RunEnded)
    assert (failure.data.summary, end.data.status) == ("boom", "failed")


def test_a_summary_that_a_model_wrote_is_marked_as_an_output() -> None:
    for output, meta in (("It is done", {"summary_is": "output"}), ("  ", {}), ("[]", {})):
        end = told(root({**AGENT, "output.value": output}))["run.ended"]
        assert isinstance(end, RunEnded)
        assert end.data.meta == meta


def test_a_failed_step_is_a_failure_of_a_run_that_goes_on() -> None:
    assert set(told(one_span(CALL, status={"code": 2}))) == {"usage.reported", "failure.recorded"}


def test_a_step_is_told_by_the_process_s_own_name() -> None:
    assert {event.agent_id for event in told_in_order(one_span({**CALL, "gen_ai.agent.name": "helper"}))} == {"sage"}
    assert {event.agent_id for event in told_in_order(one_span(CALL, resource={}))} == {None}


def test_an_agent_without_a_name_is_unknown() -> None:
    assert {event.agent_id for event in told_in_order(root({}, resource={}))} == {"unknown"}


def test_a_run_that_shows_nothing_is_silent() -> None:
    span = root({"openinference.span.kind": "AGENT", "session.id": "s", "output.value": "[]"})
    run, outcomes = fold(told_in_order(span))
    assert (run.traces, run.end_summary, run.actions_taken) == (0, None, {})
    assert [silent for _, silent in outcomes] == [True]


def test_ids_come_from_the_project_and_the_span() -> None:
    first, again = told_in_order(root()), told_in_order(root({**AGENT, "output.value": "else"}))
    assert [event.event_id for event in first] == [event.event_id for event in again]
    assert len({event.event_id for event in first}) == 2


def test_a_request_says_what_became_of_its_spans() -> None:
    document = request(raw_span(CALL), raw_span({"db.system": "x"}), raw_span(CALL, span_id="00" * 8))
    mapped = map_reading("p", read_json(as_json(document)), SHORTENER)
    assert (len(mapped.events), mapped.span_count, mapped.ignored) == (1, 2, 1)
    assert mapped.refused == Counter({"a span id is not eight bytes, or all zero": 1})


def test_the_largest_texts_make_no_event_too_large() -> None:
    huge = "\U0001f980" * 500_000
    names = ("input.value", "output.value", "tool.name", "tool.parameters", "agent.name", "session.id", "task.id")
    exception = dict.fromkeys(("exception.type", "exception.message", "exception.stacktrace"), huge)
    attributes = dict.fromkeys(names, huge) | {"openinference.span.kind": "TOOL"}
    for event in told_in_order(
        root(
            attributes,
            status={"code": 2, "message": huge},
            events=[("exception", exception)],
            resource={"service.name": huge},
        )
    ):
        assert decode_event(encode_event(event)) == event


def fold(events: list[AnyRunEvent]) -> tuple[RunSnapshot, list[tuple[int, bool]]]:
    """Fold events as the processors do: a repeated event id counts once."""
    state: RunSnapshot | None = None
    outcomes: list[tuple[int, bool]] = []
    seen: set[str] = set()
    for offset, event in enumerate(events):
        if event.event_id not in seen:
            seen.add(event.event_id)
            step = apply(state, lean(event), at(offset))
            state = step.state
            outcomes.extend((outcome.revision, outcome.silent) for outcome in step.emitted)
    assert state is not None
    return state, outcomes


_STEPS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        CALL,
        {**CALL, "gen_ai.usage.cost": 0.25},
        {**CALL, "gen_ai.response.model": "of-no-price"},
        {
            "openinference.span.kind": "EMBEDDING",
            "llm.model_name": "text-embedding-3-small",
            "llm.token_count.prompt": 9,
        },
        {"openinference.span.kind": "TOOL", "tool.name": "search"},
        {"openinference.span.kind": "AGENT", "agent.name": "helper", "llm.token_count.prompt": 5000},
        {"traceloop.span.kind": "workflow"},
        {"http.request.method": "POST"},
    ]
)

_RUNS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [AGENT, {}, {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 9000}]
)


@st.composite
def traces(draw: st.DrawFn) -> list[Document]:
    """Draw the spans of one trace; what happens within a run ends within it."""
    count = draw(st.integers(0, 6))
    spans = [
        raw_span(
            draw(_STEPS),
            span_id=f"{number + 1:016x}",
            parent=draw(st.sampled_from([ROOT, *(f"{n + 1:016x}" for n in range(number))])),
            start_ms=(begin := draw(st.integers(1, 500))),
            end_ms=draw(st.integers(begin, 900)),
            status={"code": draw(st.sampled_from([0, 1, 2])), "message": "boom"},
        )
        for number in range(count)
    ]
    whole = raw_span(
        draw(_RUNS),
        span_id=ROOT,
        parent=None,
        end_ms=1000,
        status={"code": draw(st.sampled_from([0, 2]))},
    )
    return [*spans, whole]


def send(spans: list[Document], sizes: list[int], *, protobuf: bool) -> list[AnyRunEvent]:
    """Send spans in requests of these sizes; give the events in the order they come."""
    events: list[AnyRunEvent] = []
    left = list(spans)
    for size in chain(sizes, [len(spans)]):
        some, left = left[:size], left[size:]
        document = request(*some)
        reading = read_protobuf(as_protobuf(document)) if protobuf else read_json(as_json(document))
        events += map(modelled, map_reading("p", reading, SHORTENER).events)
    return events


@given(traces(), st.data())
def test_spans_late_twice_or_in_any_order_give_the_same_run(spans: list[Document], data: st.DataObject) -> None:
    run, _ = fold(send(spans, [], protobuf=False))
    repeated = data.draw(st.lists(st.sampled_from(spans), max_size=4))
    arriving = data.draw(st.permutations([*spans, *repeated]))
    sizes = data.draw(st.lists(st.integers(0, 3), max_size=5))
    other, _ = fold(send(arriving, sizes, protobuf=data.draw(st.booleans())))
    assert timeless(other) == timeless(run)
    assert other.agent_id == ("scout" if spans[-1]["attributes"][:1] == one_pair("AGENT") else "sage")


def one_pair(kind: str) -> list[Document]:
    return [{"key": "openinference.span.kind", "value": {"stringValue": kind}}]


@given(traces())
def test_tokens_are_those_of_the_calls_of_models_alone(spans: list[Document]) -> None:
    """A naive recount: neither what agents sum up nor what a tool says counts."""
    run, _ = fold(send(spans, [], protobuf=True))
    calls = [
        span
        for span in spans
        if {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}} in span["attributes"]
    ]
    embeddings = [span for span in spans if span["attributes"][:1] == one_pair("EMBEDDING")]
    known = bool(calls or embeddings)
    assert run.usage.input_tokens == (1000 * len(calls) + 9 * len(embeddings) if known else None)
    assert run.usage.output_tokens == (100 * len(calls) if calls else None)
    assert run.usage.llm_calls == (len(calls) or None)
    assert run.failures == sum(span["status"]["code"] == 2 and not is_outside(span) for span in spans)
    assert run.status == ("failed" if spans[-1]["status"]["code"] == 2 else "completed")


def is_outside(span: Document) -> bool:
    return any(pair["key"] == "http.request.method" for pair in span["attributes"])


def test_a_run_has_an_estimated_cost() -> None:
    """Of a real model: 1,000 tokens in at 2.50 dollars, 100 out at 10 dollars a million."""
    run, _ = fold([*told_in_order(root()), *told_in_order(one_span(CALL))])
    assert (run.usage.cost_usd, run.cost_source) == (Decimal("0.0035"), "estimated")
    assert run.models == ("gpt-4o-2024-08-06",)


def test_a_run_whose_process_died_has_its_process_s_agent() -> None:
    """Spans are sent when they end: of a process that was killed the run's own span never comes."""
    run, _ = fold(told_in_order(one_span(CALL)))
    assert (run.agent_id, run.ended_at) == ("sage", None)
