"""What a question about the ledger is answered with. None is unknown, never zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias
from uuid import UUID

CostGrouping: TypeAlias = Literal["agent", "day", "model"]
FailureState: TypeAlias = Literal["open", "resolved", "regressed"]


@dataclass(frozen=True, slots=True)
class FailureReading:
    """One failure of a run."""

    event_id: str
    agent_id: str | None
    task_id: str | None
    fingerprint: str
    summary: str
    error: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class RunReading:
    """One run, its row in the run log and its score."""

    run_id: UUID
    kind: str
    status: str
    agent_id: str | None
    parent_run_id: UUID | None
    task_id: str | None
    summary: str | None
    started_at: datetime | None
    last_occurred_at: datetime | None
    heard_at: datetime
    """Log time of the last event that the agent itself sent."""
    ended_at: datetime | None
    end_summary: str | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    llm_calls: int | None
    cost_usd: Decimal | None
    cost_source: str
    models: list[str]
    usage_mismatch: bool
    timed_out: bool
    end_conflict: bool
    late_events: bool
    failure_count: int
    trace_count: int
    outcome: str | None
    logged_at: datetime | None
    """Log time of the first end; None while the run is not in the run log."""
    actions_taken: dict[str, object] | None
    """None above 32 KiB; `actions_taken_bytes` says how much it is."""
    actions_taken_bytes: int | None
    silent: bool | None
    consecutive_silence_count: int | None
    consecutive_failure_count: int | None
    score: float | None
    """0…1; None until scored."""
    score_dimensions: dict[str, float] | None


@dataclass(frozen=True, slots=True)
class LogReading:
    """A run's row in the agent run log."""

    id: UUID
    run_at: datetime
    created_at: datetime | None
    status: str
    action_summary: str | None
    revision: int
    inferred: bool
    late: bool
    rlhf_scores: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class RunFound:
    """A run with its row in the log and the newest of its failures."""

    run: RunReading
    failures: list[FailureReading]
    """The newest 10; `run.failure_count` counts them all."""
    log: LogReading | None = None
    """None while the run is not in the run log."""


@dataclass(frozen=True, slots=True)
class FailureGroupReading:
    """Failures of one kind, whichever agents met them, and what resolved them."""

    fingerprint: str
    state: FailureState
    """open: never resolved; resolved: nothing failed so since; regressed: it did."""
    failure_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    agents: list[str]
    """Of the newest 1,000 failures of the group, at most 20."""
    summary: str
    """Of the newest failure, like the four fields below."""
    error: str | None
    """Its first 2,000 characters."""
    error_characters: int | None
    run_id: UUID | None
    """None where no run was named."""
    task_id: str | None
    resolved_at: datetime | None
    """Time of the resolution in force: the latest one."""
    resolved_by_run_id: UUID | None
    """Run that completed a task on which this failure had happened; None where somebody said that it is resolved."""
    resolved_by_event_id: str | None
    """Event by which somebody said so."""
    resolved_by_agent_id: str | None
    """Agent of that run, or the one who said so."""
    resolved_by_summary: str | None
    """What that run says came of it."""
    resolved_by: str | None
    """Person or program who said so."""
    resolution_note: str | None
    """What they said."""
    regressed_at: datetime | None
    """The first failure after the resolution in force."""


@dataclass(frozen=True, slots=True)
class CostReading:
    """What some runs used and cost; only what is known is added up, and how much that is stands beside it."""

    agent_id: str | None
    day: date | None
    models: list[str] | None
    runs: int
    runs_with_cost: int
    """Runs whose cost is known; `cost_usd` is theirs alone."""
    runs_cost_estimated: int
    """Those of them whose cost was estimated."""
    runs_cost_mixed: int
    """Those of them whose cost was estimated, or is unknown, in part."""
    cost_usd: Decimal | None
    runs_with_tokens: int
    """Runs whose total is known; `total_tokens` is theirs alone."""
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    llm_calls: int | None


@dataclass(frozen=True, slots=True)
class RunCosts:
    """The costs of a project's runs since some time, in all and by group, dearest first."""

    total: CostReading
    groups: list[CostReading]
    more_groups: bool
    """There are more groups than are listed; the total counts them all."""
