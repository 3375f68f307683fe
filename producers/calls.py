"""What each call of a client means: the event it makes and what it answers.

Described once, so that `RunClient` and `AsyncRunClient` cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, Unpack
from uuid import UUID

import msgspec

from runledger.producers.building import UsageFields, check, one_event_run, token_usage
from runledger.producers.deliveries import OnDelivered
from runledger.producers.open_run import ENCLOSING, OpenRun, Parent, parent_of
from runledger.producers.settings import ProducerSettings
from runledger.producers.tellings import Tellable
from runledger.schemas.identifiers import new_run_id
from runledger.schemas.run_events import (
    EndStatus,
    FailureRecorded,
    LogStatus,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    UsageReported,
)

AnswerT = TypeVar("AnswerT")


class Call(msgspec.Struct, Generic[AnswerT], frozen=True, gc=False):
    """An event to publish, and what the call answers once it is queued."""

    event: Tellable
    answer: AnswerT
    on_delivered: OnDelivered | None = None
    ends: bool = False
    """Whether the run is ended by it."""


def start_run(
    _settings: ProducerSettings,
    /,
    project: str,
    agent: str,
    *,
    summary: str | None = None,
    meta: Mapping[str, Any] | None = None,
    run_id: UUID | str | None = None,
    parent_run_id: Parent = ENCLOSING,
    task_id: str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> Call[OpenRun]:
    """Start a run that the caller ends with `end` on the answer, or with `end_run`."""
    parent = parent_of(project, parent_run_id)
    started = check(
        RunStarted,
        {"summary": summary, "meta": meta, "parent_run_id": parent, "task_id": task_id},
        project=project,
        run_id=new_run_id() if run_id is None else run_id,
        agent=agent,
        event_id=event_id,
        occurred_at=occurred_at,
    )
    opened = OpenRun(started.project_key, started.agent_id or agent, started.run_id, task_id=task_id)
    return Call(started, opened)


def report_usage(
    _settings: ProducerSettings,
    /,
    project: str,
    run_id: UUID | str,
    *,
    agent: str | None = None,
    traces: Sequence[Mapping[str, Any]] = (),
    event_id: str | None = None,
    occurred_at: datetime | None = None,
    **usage: Unpack[UsageFields],
) -> Call[str]:
    """Report token usage; reports of one run add up. Return the event's id."""
    event = check(
        UsageReported,
        {"token_usage": usage, "traces": list(traces) if traces else None},
        project=project,
        run_id=run_id,
        agent=agent,
        event_id=event_id,
        occurred_at=occurred_at,
    )
    return Call(event, event.event_id)


def end_run(
    _settings: ProducerSettings,
    /,
    project: str,
    run_id: UUID | str,
    status: EndStatus = "completed",
    *,
    agent: str | None = None,
    summary: str | None = None,
    meta: Mapping[str, Any] | None = None,
    traces: Sequence[Mapping[str, Any]] = (),
    event_id: str | None = None,
    occurred_at: datetime | None = None,
    **usage: Unpack[UsageFields],
) -> Call[str]:
    """End a run; usage given here is its final, absolute usage. Return the event's id."""
    data = {
        "status": status,
        "summary": summary,
        "meta": meta,
        "token_usage": token_usage(usage),
        "traces": list(traces),
    }
    event = check(
        RunEnded, data, project=project, run_id=run_id, agent=agent, event_id=event_id, occurred_at=occurred_at
    )
    return Call(event, event.event_id, ends=True)


def record_failure(
    _settings: ProducerSettings,
    /,
    project: str,
    summary: str,
    *,
    run_id: UUID | str | None = None,
    agent: str | None = None,
    error: str | None = None,
    context: Mapping[str, Any] | None = None,
    task_id: str | None = None,
    meta: Mapping[str, Any] | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> Call[str]:
    """Record a failure, of a run or (run_id None) of none. Return the event's id."""
    data = {
        "summary": summary,
        "error": error,
        "context": context,
        "task_id": task_id,
        "meta": meta,
        "detached": run_id is None,
    }
    event = check(
        FailureRecorded,
        data,
        project=project,
        run_id=one_event_run(project, run_id, event_id),
        agent=agent,
        event_id=event_id,
        occurred_at=occurred_at,
    )
    return Call(event, event.event_id)


def heartbeat(
    _settings: ProducerSettings,
    /,
    project: str,
    run_id: UUID | str,
    *,
    agent: str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> Call[str]:
    """Show that a long run is alive. Return the event's id."""
    event = check(
        RunHeartbeat, {}, project=project, run_id=run_id, agent=agent, event_id=event_id, occurred_at=occurred_at
    )
    return Call(event, event.event_id)


def record_run(
    _settings: ProducerSettings,
    /,
    project: str,
    agent: str,
    summary: str,
    *,
    ticket: str | None = None,
    meta: Mapping[str, Any] | None = None,
    run_id: UUID | str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> Call[UUID]:
    """Record a whole run in one call. Return its run id, which an event_id fixes too."""
    event = check(
        RunRecorded,
        {"summary": summary, "ticket": ticket, "meta": meta},
        project=project,
        run_id=one_event_run(project, run_id, event_id),
        agent=agent,
        event_id=event_id,
        occurred_at=occurred_at,
    )
    return Call(event, event.run_id)


def log_run(
    settings: ProducerSettings,
    /,
    agent: str,
    status: LogStatus,
    actions_taken: Mapping[str, Any] | None = None,
    *,
    project: str | None = None,
    run_id: UUID | str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
    on_delivered: OnDelivered | None = None,
) -> Call[UUID]:
    """Log what an agent did in one cycle (Agent Run Log). Return its run id, which an event_id fixes too.

    Args:
        settings: whose `project` stands in for one left out.
        agent: who.
        status: success, partial or failed.
        actions_taken: what was done; its `summary` is shown.
        project: RUNLEDGER_PROJECT if left out.
        run_id: chosen here if left out.
        event_id: idempotency key.
        occurred_at: when the cycle ended.
        on_delivered: as `Publisher.publish` takes it.
    """
    project = settings.project if project is None else project
    event = check(
        RunLogged,
        {"status": status, "actions_taken": actions_taken},
        project=project,
        run_id=one_event_run(project, run_id, event_id),
        agent=agent,
        event_id=event_id,
        occurred_at=occurred_at,
    )
    return Call(event, event.run_id, on_delivered)
