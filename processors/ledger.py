"""Stage 1: fold a run's events into one snapshot, in any order, and say how the run ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias, assert_never
from uuid import UUID

from runledger.processors.deadlines import DeadlinePolicy, Evict, due_at, expire
from runledger.processors.evolve import evolve
from runledger.processors.outcomes import conclude
from runledger.processors.pricing import estimate_usd
from runledger.processors.steps import At, RunStep
from runledger.processors.usage import Price, add_model, add_report, effective, final_totals, is_mismatch
from runledger.schemas.outcomes import OutcomeStatus
from runledger.schemas.run_events import (
    AnyRunEvent,
    FailureRecorded,
    FailureResolved,
    RunEnded,
    RunErased,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    RunTimedOut,
    UsageReported,
)
from runledger.schemas.snapshots import RunKind, RunSnapshot
from runledger.schemas.usage import TokenUsage

__all__ = ["MAX_CLOCK_LEAD", "At", "DeadlinePolicy", "Evict", "Price", "RunStep", "apply", "due_at", "expire"]

MAX_CLOCK_LEAD = timedelta(minutes=5)
"""An agent's clock may be so far ahead of the log's; what it says beyond is set to log time (docs/ledger.md)."""

_Ending: TypeAlias = RunEnded | RunRecorded | RunLogged
_Telling: TypeAlias = RunStarted | UsageReported | FailureRecorded | RunHeartbeat | _Ending
"""What agents tell of a run of theirs."""
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
    usage: TokenUsage | None = None
    traces: int = 0


@dataclass(slots=True)
class _Heard:
    """What every event changes, and where it stood."""

    run: RunSnapshot
    at: At
    occurred_at: datetime
    """By the agent's clock, or log time where that is too far ahead."""
    changes: dict[str, Any]


def apply(state: RunSnapshot | None, event: AnyRunEvent, at: At, price: Price = estimate_usd) -> RunStep:
    """Fold one event into its run.

    Args:
        state: the run so far; None if it is not known: any event may be the first to arrive.
        event: not seen before, but for what the state itself remembers: its start and its end.
        at: where the event stood.
        price: estimates a cost that was not reported.
    """
    match event:
        case (
            UsageReported()
            | RunStarted()
            | RunHeartbeat()
            | FailureRecorded()
            | RunEnded()
            | RunRecorded()
            | RunLogged()
        ):
            run = _fold(_hear(state, event, at), event, price)
            return RunStep(state, changed=False) if run is None else conclude(run)
        case RunTimedOut():
            return _give_up(state, event, at)
        case FailureResolved():
            return RunStep(state, changed=False)
        case RunErased():
            return RunStep(None, erased=True)
        case _:
            assert_never(event)


def _fold(heard: _Heard, event: _Telling, price: Price) -> RunSnapshot | None:
    """Return the run with the event in it, or None where the event says nothing new."""
    # The most frequent first: asking a pydantic class about another's instance is slow.
    match event:
        case UsageReported():
            return _report(heard, event, price)
        case RunStarted():
            return _start(heard, event)
        case RunEnded() | RunRecorded() | RunLogged():
            return _end(heard, event, price)
        case FailureRecorded():
            failures = heard.run.failures + 1
            return None if event.data.detached else evolve(heard.run, failures=failures, **heard.changes)
        case RunHeartbeat():
            return evolve(heard.run, **heard.changes)
        case _:
            assert_never(event)


def _hear(state: RunSnapshot | None, event: _Telling, at: At) -> _Heard:
    """Note what every event tells: a sign of life, and perhaps the agent's name."""
    run = state or _born(event, at)
    occurred_at = event.occurred_at
    heard: dict[str, Any] = {
        "version": at.offset + 1,
        "last_logged_at": max(run.last_logged_at, at.logged_at),
        "heard_at": max(run.heard_at or at.logged_at, at.logged_at),
        "events": run.events + 1,
    }
    if occurred_at > at.logged_at + MAX_CLOCK_LEAD:
        occurred_at = at.logged_at
        heard["clock_clamped"] = True
    if run.last_occurred_at is None or occurred_at > run.last_occurred_at:
        heard["last_occurred_at"] = occurred_at
    agent_id = event.agent_id
    # Once an outcome is out under some name, the run stays with that agent: another stage, another key, counts it.
    if agent_id is not None and (not run.outcome_revision or agent_id == run.agent_id):
        rank = (occurred_at, event.event_id)
        if run.agent_rank is None or rank < run.agent_rank:
            heard["agent_id"] = agent_id
            heard["agent_rank"] = rank
    return _Heard(run, at, occurred_at, heard)


def _born(event: _Telling, at: At) -> RunSnapshot:
    """Begin a life: filling 39 frozen fields one by one takes four times as long as a copy."""
    return evolve(
        _UNBORN,
        project_key=event.project_key,
        run_id=event.run_id,
        born_offset=at.offset,
        version=at.offset + 1,
        last_logged_at=at.logged_at,
    )


def _start(heard: _Heard, event: RunStarted) -> RunSnapshot | None:
    """Begin a run. Of several starts the earliest holds."""
    run, data = heard.run, event.data
    if run.start_event_id == event.event_id:
        return None
    if run.started_at is not None and (run.started_at, run.start_event_id or "") < (heard.occurred_at, event.event_id):
        return evolve(run, **heard.changes)
    return evolve(
        run,
        started_at=heard.occurred_at,
        start_event_id=event.event_id,
        summary=data.summary,
        parent_run_id=data.parent_run_id,
        task_id=data.task_id,
        **heard.changes,
    )


def _report(heard: _Heard, event: UsageReported, price: Price) -> RunSnapshot:
    run, usage, traces = heard.run, event.data.token_usage, event.data.traces
    reported, source = add_report(run.reported, run.reported_cost_source, usage, heard.occurred_at, price)
    used, used_source = effective(reported, source, run.final, run.final_cost_source)
    return evolve(
        run,
        reported=reported,
        reported_cost_source=source,
        usage=used,
        cost_source=used_source,
        usage_mismatch=is_mismatch(reported, run.final, run.final_cost_source),
        models=add_model(run.models, usage.model),
        traces=run.traces + len(traces),
        **heard.changes,
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


def _end(heard: _Heard, event: _Ending, price: Price) -> RunSnapshot | None:
    """End a run. Of several explicit ends the earliest holds, wholly; an inferred one gives way to any of them."""
    run = heard.run
    if run.end_event_id == event.event_id:
        return None
    end = _read_end(event)
    changes = heard.changes
    changes["models"] = add_model(run.models, end.usage.model if end.usage is not None else None)
    changes["traces"] = run.traces + end.traces
    if run.ended_at is not None and not run.inferred:
        if (run.status, run.outcome) != (end.status, end.outcome):
            changes["end_conflict"] = True
        if (run.ended_at, run.end_event_id or "") < (heard.occurred_at, event.event_id):
            return evolve(run, **changes)
    final, final_source = final_totals(end.usage, heard.occurred_at, price)
    used, used_source = effective(run.reported, run.reported_cost_source, final, final_source)
    return evolve(
        run,
        kind=end.kind,
        status=end.status,
        outcome=end.outcome,
        inferred=False,
        ended_at=heard.occurred_at,
        end_event_id=event.event_id,
        end_logged_at=run.end_logged_at or heard.at.logged_at,
        end_summary=end.summary,
        actions_taken=end.actions_taken,
        final=final,
        final_cost_source=final_source,
        usage=used,
        cost_source=used_source,
        usage_mismatch=is_mismatch(run.reported, final, final_source),
        **changes,
    )


def _give_up(state: RunSnapshot | None, event: RunTimedOut, at: At) -> RunStep:
    """Infer the end of a run, unless it has moved since that was decided."""
    if state is None or state.ended_at is not None or state.version != event.data.last_version:
        return RunStep(state, changed=False)
    run = evolve(
        state,
        version=at.offset + 1,
        last_logged_at=max(state.last_logged_at, at.logged_at),
        heard_at=state.heard_at or state.last_logged_at,  # it runs still, so the agent was the last to speak
        status="interrupted",
        outcome="failed",
        inferred=True,
        timed_out=True,
        ended_at=event.occurred_at,
        end_event_id=event.event_id,
        end_logged_at=at.logged_at,
        actions_taken={},
    )
    return conclude(run, nameless=True)
