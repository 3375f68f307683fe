"""What becomes of a run about which nothing more is heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runledger.processors.evolve import freeze, thaw
from runledger.processors.outcomes import conclude
from runledger.processors.steps import RunStep
from runledger.schemas.identifiers import row_id, timeout_event_id
from runledger.schemas.run_events import RunTimedOut, TimedOutData
from runledger.schemas.snapshots import RunSnapshot


@dataclass(frozen=True, slots=True)
class DeadlinePolicy:
    """How long to wait, in log time since a run's last event."""

    run_deadline: timedelta = timedelta(hours=1)
    """A run that goes on is given up; an ended one waits no longer for its agent's name."""
    ended_retention: timedelta = timedelta(hours=24)
    """An ended run leaves memory."""
    record_retention: timedelta = timedelta(minutes=10)
    """A run told in one event leaves memory."""


@dataclass(frozen=True, slots=True)
class Evict:
    """Decision: the run leaves memory; what is known of it stands in the tables."""


def _is_settled(run: RunSnapshot) -> bool:
    return run.ended_at is not None and run.outcome_revision > 0


def settled_at(run: RunSnapshot) -> datetime | None:
    """Return the log time since which all is said of a run; None while it goes on, or waits for its agent's name."""
    return run.last_logged_at if _is_settled(run) else None


def due_at(run: RunSnapshot, policy: DeadlinePolicy) -> datetime:
    """Return the log time before which `expire` has nothing to do."""
    if not _is_settled(run):
        wait = policy.run_deadline
    else:
        wait = policy.ended_retention if run.kind == "lifecycle" else policy.record_retention
    return run.last_logged_at + wait


def expire(run: RunSnapshot, now: datetime, policy: DeadlinePolicy) -> RunTimedOut | RunStep | Evict | None:
    """Decide about one run.

    Args:
        run: its state.
        now: log time.
        policy: how long to wait.

    Returns:
        An event to write into the run's own log; or a step whose state replaces the run's at once, where an ended run
        goes out without an agent; or an eviction; or None: not yet.
    """
    if now < due_at(run, policy):
        return None
    if run.ended_at is None:
        return _timed_out(run)
    if _is_settled(run):
        return Evict()
    draft = thaw(run)
    told = conclude(draft, nameless=True)
    return RunStep(freeze(draft), told)


def _timed_out(run: RunSnapshot) -> RunTimedOut:
    return RunTimedOut(
        event_id=timeout_event_id(row_id(run.project_key, run.run_id), run.version),
        project_key=run.project_key,
        run_id=run.run_id,
        agent_id=run.agent_id,
        occurred_at=run.last_occurred_at or run.last_logged_at,
        data=TimedOutData(last_version=run.version),
    )
