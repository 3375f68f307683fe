"""Agents, and what is known of them, as the readers would have given it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from runledger.analytics.agent_story import AgentFailure, AgentOutcome, AgentStory
from runledger.analytics.agent_usage import AgentUsage, UsageWeek
from runledger.analytics.auditor import Audit
from runledger.analytics.pipeline import Pipeline
from runledger.analytics.verdicts import AuditedAgent

NOON = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
WEEK = [date(2026, 3, day) for day in range(1, 8)]


def agent(agent_id: str = "sage", **fields: Any) -> AuditedAgent:  # noqa: ANN401  # any field
    """Return an agent that does well."""
    healthy: dict[str, Any] = {
        "project_key": "acme",
        "agent_id": agent_id,
        "name": None,
        "role": None,
        "state": "healthy",
        "findings": (),
        "last_seen_at": NOON,
        "unheard_seconds": 60.0,
        "expected_interval_seconds": 3600,
        "consecutive_silence_count": 0,
        "silence_threshold": 3,
        "consecutive_failure_count": 0,
        "failure_threshold": 3,
        "finished_runs": 9,
        "last_status": "success",
        "open_incidents": (),
    }
    return AuditedAgent(**healthy | fields)


def audit(*agents: AuditedAgent) -> Audit:
    """Return what the auditor says while the pipeline is current."""
    return Audit(Pipeline("current", NOON, 1.0, NOON), True, list(agents), False)


def usage(agent_id: str, **fields: Any) -> AgentUsage:  # noqa: ANN401  # any field
    """Return what an agent used today."""
    one: dict[str, Any] = {
        "agent_id": agent_id,
        "runs": 1,
        "runs_with_cost": 1,
        "cost_usd": Decimal("0.5"),
        "runs_with_tokens": 1,
        "total_tokens": 100,
        "days": [WEEK[-1]],
        "day_costs_usd": [Decimal("0.5")],
    }
    return AgentUsage(**one | fields)


def week(*used: AgentUsage) -> UsageWeek:
    """Return what agents used this week."""
    return UsageWeek(WEEK, {one.agent_id: one for one in used}, NOON)


def run_id(number: int) -> UUID:
    """Return the id of a run."""
    return UUID(int=number)


def outcome(number: int = 1, **fields: Any) -> AgentOutcome:  # noqa: ANN401  # any field
    """Return a finished run; higher numbers ended later."""
    ended_at = NOON - timedelta(hours=1) + timedelta(minutes=number)
    good: dict[str, Any] = {
        "run_id": run_id(number),
        "status": "success",
        "silent": False,
        "inferred": False,
        "ended_at": ended_at,
        "started_at": ended_at - timedelta(seconds=30),
        "action_summary": "did it",
        "consecutive_silence_count": 0,
        "consecutive_failure_count": 0,
        "score": None,
        "cost_usd": Decimal("0.25"),
        "cost_source": "reported",
        "input_tokens": 30,
        "output_tokens": 10,
        "total_tokens": 40,
        "failure_count": 0,
    }
    return AgentOutcome(**good | fields)


def story(
    about: AuditedAgent, outcomes: list[AgentOutcome] | None = None, failures: list[AgentFailure] | None = None
) -> AgentStory:
    """Return the story of an agent."""
    return AgentStory(about, audit().pipeline, outcomes or [], failures or [])
