"""A span as events of a run: pure, and of each span alone, so that no order and no repetition changes a run.

The trace is the run. The span without a parent is its start and its end; a call of a model is usage; any other step of
an agent is usage without tokens, for its trace entry; a failed step is a failure besides. Anything else is ignored.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from runledger.producers.building import build
from runledger.producers.otlp.conventions import (
    StepKind,
    begins_run,
    process_agent,
    run_agent,
    step_kind,
    tells_tokens,
    text_at,
)
from runledger.producers.otlp.failures import failure_of
from runledger.producers.otlp.shortening import Shortener
from runledger.producers.otlp.spans import Reading, Span
from runledger.producers.otlp.steps import trace_entry
from runledger.producers.otlp.texts import output_of, prompt_of
from runledger.producers.otlp.tokens import MAX_NAME, usage_of
from runledger.producers.quick_building import check_quickly
from runledger.producers.tellings import Tellable
from runledger.schemas.identifiers import NAMESPACE, uuid5_text
from runledger.schemas.run_events import FailureRecorded, RunEnded, RunStarted, UsageReported
from runledger.schemas.values import MAX_SUMMARY, SUMMARY_IS

_SOURCE = "opentelemetry"
_PARTS = {RunStarted: "start", UsageReported: "usage", FailureRecorded: "failure", RunEnded: "end"}
"""What an event is of its span: a part of its id."""
_RUN_ITSELF: frozenset[StepKind | None] = frozenset({None, "agent", "chain"})
"""Such a span without a parent is the run and no step of it: an entry of it would make every run look busy."""
_TASKS = ("runledger.task_id", "task.id", "traceloop.association.properties.task_id")
_META: dict[str, tuple[str, ...]] = {
    "session_id": ("session.id", "traceloop.association.properties.session_id"),
    "conversation_id": ("gen_ai.conversation.id",),
    "agent_version": ("gen_ai.agent.version",),
    "workflow": ("gen_ai.workflow.name", "traceloop.workflow.name"),
}
_RESOURCE_META: dict[str, tuple[str, ...]] = {
    "service": ("service.name",),
    "service_version": ("service.version",),
    "environment": ("deployment.environment.name", "deployment.environment"),
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A request's spans as events.

    Args:
        events: in the order of their spans.
        span_count: how many spans could be taken.
        ignored: how many of them are no steps of an agent.
        refused: why others cannot be taken, to how many.
    """

    events: list[Tellable]
    span_count: int
    ignored: int
    refused: Counter[str]


def events_of(project_key: str, span: Span, shortener: Shortener) -> list[Tellable]:
    """Tell what a span says about its run; nothing, if it is no step of an agent.

    Args:
        project_key: the caller's.
        span: finished.
        shortener: cuts texts to their limits.
    """
    kind = step_kind(span.attributes)
    is_run = begins_run(span, kind)
    if kind is None and not is_run:
        return []
    agent_id = (run_agent(span) if is_run else process_agent(span.resource) or "")[:MAX_NAME] or None
    task_id = (text_at(span.attributes, *_TASKS) or text_at(span.resource, *_TASKS) or "")[:MAX_NAME] or None
    who = (project_key, span, agent_id)
    events: list[Tellable] = []
    if is_run:
        summary, meta = _summary_of(span, shortener), _meta_of(span, shortener)
        events.append(_event(RunStarted, {"summary": summary, "meta": meta, "task_id": task_id}, *who))
    if kind is not None and not (is_run and kind in _RUN_ITSELF):
        usage = usage_of(span, kind, shortener) if tells_tokens(span, kind) else {}
        traces = [trace_entry(span, kind, shortener)]
        events.append(_event(UsageReported, {"token_usage": usage, "traces": traces}, *who))
    if span.failed:
        events.append(_event(FailureRecorded, failure_of(span, kind, task_id, shortener), *who))
    if is_run:
        events.append(_event(RunEnded, _end_of(span, shortener), *who))
    return events


def map_reading(project_key: str, reading: Reading, shortener: Shortener) -> Mapped:
    """Tell what all spans of a request say."""
    told = [events_of(project_key, span, shortener) for span in reading.spans]
    events = [event for events in told for event in events]
    return Mapped(events, len(told), sum(not events for events in told), reading.refused)


def _event(
    kind: type[RunStarted | UsageReported | FailureRecorded | RunEnded],
    data: dict[str, Any],
    project_key: str,
    span: Span,
    agent_id: str | None,
) -> Tellable:
    """Tell one event, without a model where nothing is left to be judged: that took most of the mapping's time."""
    event_id = uuid5_text(NAMESPACE, f"{project_key}/otlp/{span.trace_id}/{span.span_id}/{_PARTS[kind]}")
    run_id = _run_id(span.trace_id)
    at = span.started_at if kind is RunStarted else span.ended_at
    quick = check_quickly(kind, data, project_key, run_id, agent_id, event_id, at, _SOURCE)
    if quick is not None:
        return quick
    return build(
        kind,
        data,
        project=project_key,
        run_id=run_id,
        agent=agent_id,
        event_id=event_id,
        occurred_at=at,
        source=_SOURCE,
    )


_run_id = lru_cache(maxsize=64)(UUID)


def _end_of(span: Span, shortener: Shortener) -> dict[str, Any]:
    output = output_of(span)
    summary = None if output is None else shortener.cut(output, MAX_SUMMARY)
    # What a model said is no report: the meta tells, so that it is shown to nobody without a key.
    meta = {SUMMARY_IS: "output"} if summary and summary.strip() else {}
    return {"status": "failed" if span.failed else "completed", "summary": summary, "meta": meta}


def _summary_of(span: Span, shortener: Shortener) -> str | None:
    return shortener.cut(prompt_of(span) or span.name.strip(), MAX_SUMMARY) or None


def _meta_of(span: Span, shortener: Shortener) -> dict[str, str]:
    meta = {"span_id": span.span_id, "name": shortener.cut(span.name, MAX_NAME)}
    for attributes, names in ((span.attributes, _META), (span.resource, _RESOURCE_META)):
        for ours, theirs in names.items():
            if (found := text_at(attributes, *theirs)) is not None:
                meta[ours] = shortener.cut(found, MAX_NAME)
    return meta
