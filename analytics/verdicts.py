"""What the auditor says of an agent: pure decisions over rows, without a clock or a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from runledger.analytics.pipeline import Listening
from runledger.schemas.outcomes import UNKNOWN_AGENT, IncidentKind, OutcomeStatus

Finding: TypeAlias = Literal["failing", "silent", "quiet", "never_reported"]
AgentState: TypeAlias = Literal["failing", "silent", "quiet", "never_reported", "expected", "healthy", "retired"]
DEFAULT_INTERVAL_SECONDS = 24 * 60 * 60
"""How often an agent reports of which nobody has said it."""
DEFAULT_THRESHOLD = 3
"""Silent, or failed, runs in a row that make a finding; the same at which an incident opens."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """What the tables hold of an agent; settings are its own, else its project's, else None."""

    project_key: str
    agent_id: str
    name: str | None
    role: str | None
    retired: bool
    created_at: datetime
    expected_interval_seconds: int | None
    silence_threshold: int | None
    failure_threshold: int | None
    heard_at: datetime | None
    """Log time of the last event of its own, of those runs that name it."""
    last_logged_at: datetime | None
    """Log time of the last end of one of its runs."""
    last_status: OutcomeStatus | None
    finished_runs: int
    consecutive_silence_count: int
    consecutive_failure_count: int


@dataclass(frozen=True, slots=True)
class OpenIncidentRow:
    """An incident that has not recovered."""

    project_key: str
    agent_id: str
    incident_id: UUID
    kind: IncidentKind
    threshold: int
    run_id: UUID
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class AuditedAgent:
    """One agent, and what is wrong with it."""

    project_key: str
    agent_id: str
    name: str | None
    role: str | None
    state: AgentState
    """The first of its findings, in the order failing, silent, quiet, never_reported; healthy without any.

    expected: it was never heard, and its interval has not passed. retired: nothing is expected, nothing is judged.
    """
    findings: tuple[Finding, ...]
    last_seen_at: datetime | None
    """Log time of the last event it sent; None: it was never heard."""
    unheard_seconds: float | None
    """Seconds since then, or since it was made known, during which the pipeline listened. None while that is behind."""
    expected_interval_seconds: int
    consecutive_silence_count: int
    silence_threshold: int
    consecutive_failure_count: int
    failure_threshold: int
    finished_runs: int
    last_status: OutcomeStatus | None
    open_incidents: tuple[OpenIncidentRow, ...]


def judge_agent(row: AgentRow, listening: Listening | None, incidents: tuple[OpenIncidentRow, ...]) -> AuditedAgent:
    """Judge one agent.

    Args:
        row: the agent.
        listening: when the pipeline listened; None while it is behind, so that nobody is called quiet.
        incidents: those of the agent that are open.
    """
    last_seen_at = row.heard_at or row.last_logged_at
    unheard_seconds = None if listening is None else listening.seconds_since(last_seen_at or row.created_at)
    interval_seconds = row.expected_interval_seconds or DEFAULT_INTERVAL_SECONDS
    silence_threshold = row.silence_threshold or DEFAULT_THRESHOLD
    failure_threshold = row.failure_threshold or DEFAULT_THRESHOLD
    findings: list[Finding] = []
    if row.consecutive_failure_count >= failure_threshold:
        findings.append("failing")
    if row.consecutive_silence_count >= silence_threshold:
        findings.append("silent")
    if unheard_seconds is not None and unheard_seconds > interval_seconds and not _is_nobody(row):
        findings.append("never_reported" if last_seen_at is None else "quiet")
    if row.retired:
        findings.clear()
    return AuditedAgent(
        project_key=row.project_key,
        agent_id=row.agent_id,
        name=row.name,
        role=row.role,
        state=_state(row, findings, last_seen_at),
        findings=tuple(findings),
        last_seen_at=last_seen_at,
        unheard_seconds=unheard_seconds,
        expected_interval_seconds=interval_seconds,
        consecutive_silence_count=row.consecutive_silence_count,
        silence_threshold=silence_threshold,
        consecutive_failure_count=row.consecutive_failure_count,
        failure_threshold=failure_threshold,
        finished_runs=row.finished_runs,
        last_status=row.last_status,
        open_incidents=incidents,
    )


def _is_nobody(row: AgentRow) -> bool:
    """Tell whether this is no agent but the name under which runs without one are logged: nobody expects it."""
    return row.agent_id == UNKNOWN_AGENT and row.heard_at is None and row.expected_interval_seconds is None


def _state(row: AgentRow, findings: list[Finding], last_seen_at: datetime | None) -> AgentState:
    if row.retired:
        return "retired"
    if findings:
        return findings[0]
    return "expected" if last_seen_at is None else "healthy"
