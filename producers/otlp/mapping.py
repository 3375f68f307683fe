"""A span as events of a run: pure, and of each span alone, so that no order and no repetition changes a run.

The trace is the run. The span without a parent is its start and its end; a call of a model is usage; any other step of
an agent is usage without tokens, for its trace entry; a failed step is a failure besides. Anything else is ignored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

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
from runledger.producers.otlp.spans import Span
from runledger.producers.otlp.steps import trace_entry
from runledger.producers.otlp.texts import cut, output_of, prompt_of
from runledger.producers.otlp.tokens import MAX_NAME, usage_of
from runledger.schemas.identifiers import NAMESPACE
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    FailureRecorded,
    RunEnded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage
from runledger.schemas.values import MAX_SUMMARY

_SOURCE = "opentelemetry"
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


def events_of(project_key: str, span: Span) -> list[AnyRunEvent]:
    """Tell what a span says about its run; nothing, if it is no step of an agent.

    Args:
        project_key: the caller's.
        span: finished.
    """
    kind = step_kind(span.attributes)
    is_run = begins_run(span, kind)
    if kind is None and not is_run:
        return []
    agent_id = cut(run_agent(span), MAX_NAME) if is_run else _cut_or_none(process_agent(span.resource))
    task_id = _cut_or_none(text_at(span.attributes, *_TASKS) or text_at(span.resource, *_TASKS))
    events: list[AnyRunEvent] = []
    if is_run:
        started = StartedData(summary=_summary_of(span), meta=_meta_of(span), task_id=task_id)
        events.append(RunStarted(**_common(project_key, span, agent_id, "start", span.started_at), data=started))
    if kind is not None and not (is_run and kind in _RUN_ITSELF):
        usage = usage_of(span, kind) if tells_tokens(span, kind) else TokenUsage()
        told = UsageData(token_usage=usage, traces=[trace_entry(span, kind)])
        events.append(UsageReported(**_common(project_key, span, agent_id, "usage", span.ended_at), data=told))
    if span.failed:
        failure = failure_of(span, kind, task_id)
        events.append(FailureRecorded(**_common(project_key, span, agent_id, "failure", span.ended_at), data=failure))
    if is_run:
        ended = EndedData(status="failed" if span.failed else "completed", summary=_excerpt(output_of(span)))
        events.append(RunEnded(**_common(project_key, span, agent_id, "end", span.ended_at), data=ended))
    return events


def _common(project_key: str, span: Span, agent_id: str | None, part: str, at: datetime) -> dict[str, Any]:
    return {
        "source": _SOURCE,
        "event_id": str(uuid5(NAMESPACE, f"{project_key}/otlp/{span.trace_id}/{span.span_id}/{part}")),
        "project_key": project_key,
        "run_id": UUID(span.trace_id),
        "agent_id": agent_id,
        "occurred_at": at,
    }


def _summary_of(span: Span) -> str | None:
    return _excerpt(prompt_of(span) or span.name.strip())


def _excerpt(text: str | None) -> str | None:
    return cut(text, MAX_SUMMARY) if text else None


def _cut_or_none(text: str | None) -> str | None:
    return None if text is None else cut(text, MAX_NAME)


def _meta_of(span: Span) -> dict[str, str]:
    meta = {"span_id": span.span_id, "name": cut(span.name, MAX_NAME)}
    for attributes, names in ((span.attributes, _META), (span.resource, _RESOURCE_META)):
        for ours, theirs in names.items():
            if (found := text_at(attributes, *theirs)) is not None:
                meta[ours] = cut(found, MAX_NAME)
    return meta
