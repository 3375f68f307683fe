"""Stage 1: fold a run's events into one snapshot, in any order, and say how the run ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias, assert_never
from uuid import UUID

from runledger.processors.deadlines import DeadlinePolicy, Evict, due_at, expire
from runledger.processors.evolve import Draft, freeze, thaw
from runledger.processors.outcomes import conclude
from runledger.processors.pricing import estimate_usd
from runledger.processors.steps import At, RunStep
from runledger.processors.usage import Price, add_model, add_report, final_totals, sum_up
from runledger.schemas.lean_events import (
    AnyTokenUsage,
    FailureRecorded,
    FailureResolved,
    LeanEvent,
    RunEnded,
    RunErased,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    RunTimedOut,
    Told,
    UsageReported,
)
from runledger.schemas.outcomes import OutcomeStatus
from runledger.schemas.snapshots import RunKind, RunSnapshot

__all__ = [
    "MAX_CLOCK_LEAD",
    "At",
    "DeadlinePolicy",
    "Evict",
    "Price",
    "RunStep",
    "advance",
    "apply",
    "due_at",
    "expire",
]

MAX_CLOCK_LEAD = timedelta(minutes=5)
"""An agent's clock may be so far ahead of the log's; what it says beyond is set to log time (docs/ledger.md)."""

_Ending: TypeAlias = RunEnded | RunRecorded | RunLogged
_Once: TypeAlias = RunStarted | _Ending | FailureRecorded
_EndStatus: TypeAlias = Literal["completed", "failed", "interrupted"]
_UNBORN = RunSnapshot("", UUID(int=0), 0, 0, datetime.min.replace(tzinfo=UTC))
_OUTCOME_OF_STATUS: dict[_EndStatus, OutcomeStatus] = {
    "completed": "success",
    "failed": "failed",
    "interrupted": "partial",
}


@dataclass(frozen=True, slots=True)
class _End:
    """An explicit end, however it was told."""

    kind: RunKind
    status: _EndStatus
    outcome: OutcomeStatus
    summary: str | None
    actions_taken: dict[str, Any]
    usage: AnyTokenUsage | None = None
    traces: int = 0


def apply(state: RunSnapshot | None, event: LeanEvent, at: At, price: Price = estimate_usd) -> RunStep:
    """Fold one event into its run.

    Args:
        state: the run so far; None if it is not known: any event may be the first to arrive.
        event: not seen before, but for what the state itself remembers: its start and its end.
        at: where the event stood.
        price: estimates a cost that was not reported.
    """
    step = advance(None if state is None else thaw(state), event, at, price)
    freeze(step.state)
    return step


def advance(run: Draft | None, event: LeanEvent, at: At, price: Price = estimate_usd) -> RunStep:
    """Do what `apply` does, to a draft of the run and in place: a batch copies each of its runs once, not per event."""
    match event:
        case UsageReported():  # nearly all of them
            run, occurred_at = _hear(run, event, at)
            _report(run, event, occurred_at, price)
        case RunHeartbeat():
            run, _ = _hear(run, event, at)
        case RunStarted() | RunEnded() | RunRecorded() | RunLogged() | FailureRecorded():
            if _says_nothing_new(run, event):
                return RunStep(run, changed=False)
            run, occurred_at = _hear(run, event, at)
            _take_in(run, event, occurred_at, at, price)
        case RunTimedOut():
            return _give_up(run, event, at)
        case FailureResolved():
            return RunStep(run, changed=False)
        case RunErased():
            return RunStep(None, erased=True)
        case _:
            assert_never(event)
    return RunStep(run, conclude(run))


def _says_nothing_new(run: Draft | None, event: _Once) -> bool:
    match event:
        case RunStarted():
            return run is not None and bool(run.start_event_id == event.event_id)
        case RunEnded() | RunRecorded() | RunLogged():
            return run is not None and bool(run.end_event_id == event.event_id)
        case FailureRecorded(data=data):
            return data.detached


def _take_in(run: Draft, event: _Once, occurred_at: datetime, at: At, price: Price) -> None:
    match event:
        case RunStarted():
            _start(run, event, occurred_at)
        case RunEnded() | RunRecorded() | RunLogged():
            _end(run, event, occurred_at, at, price)
        case FailureRecorded():
            run.failures += 1
        case _:
            assert_never(event)


def _hear(known: Draft | None, event: Told, at: At) -> tuple[Draft, datetime]:
    """Note what every event tells: a sign of life, and perhaps the agent's name.

    Returns:
        The run, and when the event occurred: by the agent's clock, or log time where that is too far ahead.
    """
    logged_at, occurred_at = at.logged_at, event.occurred_at
    run = _born(event, at) if known is None else known
    run.version = at.offset + 1
    run.events += 1
    if run.heard_at is None or logged_at > run.heard_at:  # else last_logged_at is as late
        run.heard_at = logged_at
        run.last_logged_at = max(run.last_logged_at, logged_at)
    if occurred_at > logged_at + MAX_CLOCK_LEAD:
        occurred_at = logged_at
        run.clock_clamped = True
    if run.last_occurred_at is None or occurred_at > run.last_occurred_at:
        run.last_occurred_at = occurred_at
    agent_id = event.agent_id
    # Once an outcome is out under some name, the run stays with that agent: another stage, another key, counts it.
    if agent_id is not None and (not run.outcome_revision or agent_id == run.agent_id):
        rank = (occurred_at, event.event_id)
        if run.agent_rank is None or rank < run.agent_rank:
            run.agent_id = agent_id
            run.agent_rank = rank
    return run, occurred_at


def _born(event: Told, at: At) -> Draft:
    run = thaw(_UNBORN)
    run.project_key, run.run_id = event.project_key, event.run_id
    run.born_offset = at.offset
    run.last_logged_at = at.logged_at
    return run


def _start(run: Draft, event: RunStarted, occurred_at: datetime) -> None:
    """Begin a run. Of several starts the earliest holds."""
    if run.started_at is not None and (run.started_at, run.start_event_id or "") < (occurred_at, event.event_id):
        return
    run.started_at, run.start_event_id = occurred_at, event.event_id
    data = event.data
    run.summary = data.summary
    run.parent_run_id = data.parent_run_id
    run.task_id = data.task_id


def _report(run: Draft, event: UsageReported, occurred_at: datetime, price: Price) -> None:
    data = event.data
    usage = data.token_usage
    run.reported, run.reported_cost_source = add_report(
        run.reported, run.reported_cost_source, usage, occurred_at, price
    )
    run.traces += len(data.traces)
    if usage.model is not None:
        run.models = add_model(run.models, usage.model)
    run.usage, run.cost_source, run.usage_mismatch = sum_up(
        run.reported, run.reported_cost_source, run.final, run.final_cost_source
    )


def _read_end(event: _Ending) -> _End:
    match event:
        case RunEnded(data=data):
            actions = dict(data.meta) if data.summary is None else {**data.meta, "summary": data.summary}
            outcome = _OUTCOME_OF_STATUS[data.status]
            return _End("lifecycle", data.status, outcome, data.summary, actions, data.token_usage, len(data.traces))
        case RunRecorded(data=recorded):
            actions = {**recorded.meta, "summary": recorded.summary}
            if recorded.ticket is not None:
                actions["ticket"] = recorded.ticket
            return _End("record", "completed", "success", recorded.summary, actions)
        case RunLogged(data=logged):
            status: _EndStatus = "failed" if logged.status == "failed" else "completed"
            return _End("log", status, logged.status, None, logged.actions_taken)
        case _:
            assert_never(event)


def _end(run: Draft, event: _Ending, occurred_at: datetime, at: At, price: Price) -> None:
    """End a run. Of several explicit ends the earliest holds, wholly; an inferred one gives way to any of them."""
    end = _read_end(event)
    run.traces += end.traces
    if end.usage is not None:
        run.models = add_model(run.models, end.usage.model)
    if run.ended_at is not None and not run.inferred:
        if (run.status, run.outcome) != (end.status, end.outcome):
            run.end_conflict = True
        if (run.ended_at, run.end_event_id or "") < (occurred_at, event.event_id):
            return
    run.kind, run.status, run.outcome = end.kind, end.status, end.outcome
    run.inferred = False
    run.ended_at, run.end_event_id = occurred_at, event.event_id
    run.end_logged_at = run.end_logged_at or at.logged_at
    run.end_summary = end.summary
    run.actions_taken = end.actions_taken
    run.final, run.final_cost_source = final_totals(end.usage, occurred_at, price)
    run.usage, run.cost_source, run.usage_mismatch = sum_up(
        run.reported, run.reported_cost_source, run.final, run.final_cost_source
    )


def _give_up(run: Draft | None, event: RunTimedOut, at: At) -> RunStep:
    """Infer the end of a run, unless it has moved since that was decided."""
    if run is None or run.ended_at is not None or run.version != event.data.last_version:
        return RunStep(run, changed=False)
    run.heard_at = run.heard_at or run.last_logged_at  # it runs still, so the agent was the last to speak
    run.version = at.offset + 1
    run.last_logged_at = max(run.last_logged_at, at.logged_at)
    run.status, run.outcome = "interrupted", "failed"
    run.inferred = run.timed_out = True
    run.ended_at, run.end_event_id = event.occurred_at, event.event_id
    run.end_logged_at = at.logged_at
    run.actions_taken = {}
    return RunStep(run, conclude(run, nameless=True))
