"""Events of made-up runs, and how their records get into the tables."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    EndStatus,
    FailureData,
    FailureRecorded,
    RunEnded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import Story
from tests.unit.sinks.build import NOON, run_number

TASK = "11111111-1111-4111-8111-111111111111"
BEGAN = NOON - timedelta(days=2)
"""The records are logged from noon on; what would lie ahead of that were clamped."""
TIMEOUT = "connect ETIMEDOUT 10.0.0.5:5432 after 30s"


def common(run: int, minute: int, name: str, project: str, agent: str) -> dict[str, Any]:
    """Fields that every event has; minutes are from BEGAN on."""
    at = BEGAN + timedelta(minutes=minute)
    return {"event_id": name, "project_key": project, "run_id": run_number(run), "occurred_at": at, "agent_id": agent}


def started(run: int, minute: int, *, task: str | None = None, project: str = "acme", agent: str = "a") -> RunStarted:
    """Start a run."""
    return RunStarted(
        **common(run, minute, f"start-{run}", project, agent), data=StartedData(task_id=task, summary="go")
    )


def used(
    run: int, minute: int, *, cost: str | None, model: str | None, project: str = "acme", agent: str = "a"
) -> UsageReported:
    """Report usage of 15 tokens."""
    usage = TokenUsage(input_tokens=10, output_tokens=5, cost_usd=None if cost is None else Decimal(cost), model=model)
    return UsageReported(
        **common(run, minute, f"use-{run}-{minute}", project, agent), data=UsageData(token_usage=usage)
    )


def ended(
    run: int, minute: int, status: EndStatus, *, summary: str = "done", project: str = "acme", agent: str = "a"
) -> RunEnded:
    """End a run."""
    data = EndedData(status=status, summary=summary, meta={"files": 3})
    return RunEnded(**common(run, minute, f"end-{run}", project, agent), data=data)


def failed(
    run: int, minute: int, error: str = TIMEOUT, *, task: str | None = TASK, project: str = "acme", agent: str = "a"
) -> FailureRecorded:
    """Record a failure; its task is TASK unless another is named."""
    data = FailureData(summary="no database", error=error, task_id=task)
    return FailureRecorded(**common(run, minute, f"fail-{run}-{minute}", project, agent), data=data)


def write(ledger: Ledger, *events: AnyRunEvent) -> None:
    """Write what the reducers make of events."""
    ledger.write(Story().tell(events))
