"""Absolute, versioned state: what stage 1 knows of a run and stage 2 of an agent.

Each is at once the processor's state, its changelog and a contract with subscribers. `version` is the source offset
that produced it, plus one, so it only grows; `schema_version` lets newer code restore older state.

A run's fields are written only where they differ from their defaults, so a default never changes once it is released.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from runledger.schemas.dead_letter_limits import Refusals
from runledger.schemas.outcomes import IncidentKind, OutcomeStatus
from runledger.schemas.usage import CostSource, UsageTotals

RunKind: TypeAlias = Literal["lifecycle", "record", "log"]
RunStatus: TypeAlias = Literal["running", "completed", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """One run as its events so far tell it.

    Times ending in `_at` are the agent's own (occurred_at); last_logged_at, end_logged_at and heard_at are log times.
    """

    project_key: str
    run_id: UUID
    born_offset: int
    """Offset of the event that began this life of the run: a run evicted and heard of again is born again."""
    version: int
    last_logged_at: datetime
    """Log time of the last event: deadlines and eviction count from here."""
    schema_version: int = 1
    kind: RunKind = "lifecycle"
    status: RunStatus = "running"
    agent_id: str | None = None
    agent_rank: tuple[datetime, str] | None = None
    """(occurred_at, event_id) of the event that named the agent: the earliest names it."""
    started_at: datetime | None = None
    start_event_id: str | None = None
    summary: str | None = None
    parent_run_id: UUID | None = None
    task_id: str | None = None
    ended_at: datetime | None = None
    end_event_id: str | None = None
    end_summary: str | None = None
    end_logged_at: datetime | None = None
    """Log time of the first end, explicit or inferred; it never changes (agent_run_log.run_at)."""
    outcome: OutcomeStatus | None = None
    actions_taken: dict[str, Any] | None = None
    last_occurred_at: datetime | None = None
    reported: UsageTotals = field(default_factory=UsageTotals)
    """Sum of the usage reports."""
    final: UsageTotals | None = None
    """The absolute usage on the end that counts."""
    usage: UsageTotals = field(default_factory=UsageTotals)
    """What the run used: final where given, else the sum, field by field."""
    reported_cost_source: CostSource = "unknown"
    final_cost_source: CostSource = "unknown"
    cost_source: CostSource = "unknown"
    usage_mismatch: bool = False
    """The final usage is below the sum of the reports in some field."""
    models: tuple[str, ...] = ()
    events: int = 0
    failures: int = 0
    traces: int = 0
    inferred: bool = False
    """The end in force was inferred by a timeout."""
    timed_out: bool = False
    """A timeout was inferred at some time, even if an explicit end came later."""
    end_conflict: bool = False
    clock_clamped: bool = False
    """An event's occurred_at lay more than five minutes ahead of log time and was set to log time."""
    outcome_revision: int = 0
    """Revision of the outcome last emitted; 0 while none was."""
    outcome_digest: str | None = None
    """Digest of the outcome last emitted: a revision is due when it changes."""
    heard_at: datetime | None = None
    """Log time of the last event that the agent itself sent: a timeout of ours is none. None in older state."""


@dataclass(frozen=True, slots=True)
class WindowEntry:
    """One of the last outcomes of an agent, as its streaks need it."""

    run_id: UUID
    ended_at: datetime
    status: OutcomeStatus
    effect: Literal["extends", "resets", "leaves"]
    """What the outcome does to the failing streak."""
    silent: bool
    total_tokens: int | None
    duration_seconds: float | None
    consecutive_silence_count: int
    consecutive_failure_count: int


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that has not recovered."""

    kind: IncidentKind
    incident_id: UUID
    opened_at: datetime
    run_id: UUID
    threshold: int


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """One agent's streaks over its finished runs, in the order of their ended_at."""

    project_key: str
    agent_id: str
    version: int
    last_logged_at: datetime
    """Log time of the last outcome."""
    schema_version: int = 1
    last_ended_at: datetime | None = None
    last_status: OutcomeStatus | None = None
    finished_runs: int = 0
    consecutive_silence_count: int = 0
    consecutive_failure_count: int = 0
    window: tuple[WindowEntry, ...] = ()
    """The last 32 outcomes, oldest first."""
    silence_before: int = 0
    """Silent streak just before the window's oldest entry."""
    failures_before: int = 0
    floor: tuple[datetime, UUID] | None = None
    """(ended_at, run_id) of the newest outcome that has left the window: what sorts below arrives too late."""
    incidents: tuple[OpenIncident, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stage has folded a partition, and of which topic: written inside the stage's transaction."""

    stage: str
    partition: int
    next_offset: int
    """First offset not yet applied."""
    topic_id: str
    partition_count: int
    rejected: tuple[int, ...] = ()
    """Offsets shortly before it that went to dead-letters: their event ids are not taken."""
    refusals: Refusals = Refusals()  # noqa: RUF009  # frozen
    """Counts of dead letters before it: a restart does not begin them anew."""
    changelog_id: str = ""
    """Id of the topic that holds the states: one made again holds none. Empty where version 1 or 2 wrote it."""
    schema_version: int = 3
