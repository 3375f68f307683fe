"""The story that these tests ask about: two projects whose agents, tasks and errors have the same names."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    EndStatus,
    FailureData,
    FailureRecorded,
    LoggedData,
    RecordedData,
    RunEnded,
    RunLogged,
    RunRecorded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage
from runledger.sinks.records import Record
from tests.integration.sinks.story import Story
from tests.unit.sinks.build import NOON, run_number

BEGAN = NOON - timedelta(days=2)
"""The records are logged from noon on; what would lie ahead of that were clamped."""
ERROR = "connect ETIMEDOUT 10.0.0.5:5432 after 30s"
AGENT, SLASHED = "sage", "team/nightly build"
LARGE, LARGE_BYTES = 2, 40_000
"""A run one of whose trace entries is too large to be shown."""
RUNS = 9
"""Runs of each project that end; one more goes on."""


def acme_run(number: int) -> UUID:
    return run_number(number)


def other_run(number: int) -> UUID:
    return run_number(100 + number)


def records_of(project_key: str, first_run: int, partition: int) -> list[Record]:
    """Tell a project's story; `partition` keeps two projects' offsets apart."""
    story = Story()
    told = story.tell(events_of(project_key, first_run))
    return [replace(record, partition=partition) for record in told]


def events_of(project_key: str, first_run: int) -> list[AnyRunEvent]:
    """Make up runs: with usage and traces, a failing streak, silence, a record, one that goes on."""
    told: list[AnyRunEvent] = []

    def common(number: int, minute: int, name: str, agent: str | None = AGENT) -> dict[str, Any]:
        at = BEGAN + timedelta(hours=5 * number, minutes=minute)
        event_id = f"{project_key}-{name}-{number}"
        run_id = run_number(first_run + number)
        return {
            "event_id": event_id,
            "project_key": project_key,
            "run_id": run_id,
            "occurred_at": at,
            "agent_id": agent,
        }

    def lifecycle(number: int, status: EndStatus, cost: str | None, summary: str | None) -> None:
        task = "task-1" if number % 2 else None
        parent = run_number(first_run) if number else None
        started = StartedData(summary=f"{project_key} goes", task_id=task, parent_run_id=parent)
        told.append(RunStarted(**common(number, 0, "start"), data=started))
        cost_usd = None if cost is None else Decimal(cost)
        usage = TokenUsage(input_tokens=10 * number, output_tokens=number, cost_usd=cost_usd, model="m-1")
        traces: list[dict[str, Any]] = [{"of": project_key, "step": step} for step in range(3)] if summary else []
        if number == LARGE:
            traces[1]["said"] = "x" * LARGE_BYTES
        used = UsageReported(**common(number, 1, "use"), data=UsageData(token_usage=usage, traces=traces))
        told.append(used)
        if number == 1:
            told.append(used)
        told.append(RunEnded(**common(number, 2, "end"), data=EndedData(status=status, summary=summary)))

    lifecycle(0, "completed", "0.10", "done")
    lifecycle(1, "completed", "0.30", "done")
    lifecycle(2, "completed", None, "done")
    for number in (3, 4, 5):
        failure = FailureData(summary="no database", error=ERROR, task_id="task-1")
        told.append(FailureRecorded(**common(number, 1, "fail"), data=failure))
        lifecycle(number, "failed", "0.30", f"{project_key} gave up")
    told.append(RunLogged(**common(6, 0, "log"), data=LoggedData(status="success", actions_taken={})))
    told.append(RunRecorded(**common(7, 0, "record"), data=RecordedData(summary="whole", ticket="T-1")))
    told.append(RunLogged(**common(8, 0, "log", SLASHED), data=LoggedData(status="partial", actions_taken={"n": 1})))
    told.append(RunStarted(**common(9, 0, "start"), data=StartedData(summary="goes on")))
    return told
