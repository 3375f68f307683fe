"""What comes of finished runs: outcomes, logged runs with their streaks, incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from runledger.schemas.usage import CostSource, UsageTotals

OutcomeStatus: TypeAlias = Literal["success", "partial", "failed"]
IncidentKind: TypeAlias = Literal["silent", "failing"]
UNKNOWN_AGENT = "unknown"
"""Agent under whose name a run is logged of which nobody said in time whose it was."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One finished run; a later revision of the same run replaces the earlier."""

    project_key: str
    agent_id: str
    run_id: UUID
    row_id: UUID
    """Primary key of the row in agent_run_log: uuid5 of project and run."""
    revision: int
    """1 for the first word on the run, higher when late events change it."""
    kind: Literal["lifecycle", "record", "log"]
    status: OutcomeStatus
    run_status: Literal["completed", "failed", "interrupted"]
    inferred: bool
    silent: bool
    """The run shows no meaningful output: no action, no trace, no summary."""
    ended_at: datetime
    logged_at: datetime
    """Log time of the run's first end: agent_run_log.run_at."""
    actions_taken: dict[str, Any]
    action_summary: str | None
    usage: UsageTotals
    cost_source: CostSource = "unknown"
    started_at: datetime | None = None
    failures: int = 0
    traces: int = 0
    models: tuple[str, ...] = ()
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """Means over the agent's runs in the window before this one; None where no run told."""

    runs: int
    mean_total_tokens: float | None = None
    mean_duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A finished run with its agent's streaks up to and including it: one row of agent_run_log."""

    outcome: RunOutcome
    consecutive_silence_count: int
    consecutive_failure_count: int
    late: bool
    """Ended before the last 32 outcomes of its agent: its streaks are unknown and written as 0."""
    baseline: Baseline
    type: Literal["logged"] = "logged"
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class StreakRevised:
    """An outcome that arrived out of order changed the streaks of a run logged earlier."""

    project_key: str
    agent_id: str
    run_id: UUID
    row_id: UUID
    consecutive_silence_count: int
    consecutive_failure_count: int
    type: Literal["streak_revised"] = "streak_revised"
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class Incident:
    """An agent's streak reached its threshold (`open`), or ended after it had (`recovered`)."""

    incident_id: UUID
    project_key: str
    agent_id: str
    kind: IncidentKind
    state: Literal["open", "recovered"]
    threshold: int
    run_id: UUID
    """The run that opened it."""
    opened_at: datetime
    """ended_at of that run."""
    version: int
    """Version of the agent's state that wrote this; the higher one holds."""
    recovered_at: datetime | None = None
    recovered_run_id: UUID | None = None
    schema_version: int = 1
