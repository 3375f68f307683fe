"""Runs of the airline agent, in the format of `runledger/data/airline_runs.jsonl` (see SOURCES.md beside it)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from runledger.producers.building import build
from runledger.producers.importers.imported import ImportedRun, event_id_from
from runledger.schemas.run_events import AnyRunEvent, RunEnded, RunStarted, UsageReported
from runledger.schemas.values import CostUsd, Count, Timestamp

AGENT = "airline"
PROJECT = "default"
REQUIRED_KEYS = frozenset({"run_id", "task_id", "reward", "agent", "simulated_user"})
"""Keys by which a line of this format is recognised."""


class _Turn(BaseModel):
    at: Timestamp
    input_tokens: Count
    output_tokens: Count
    cost_usd: CostUsd
    tools: list[str]


class _Speaker(BaseModel):
    model: str
    turns: list[dict[str, Any]]


class _ToolResult(BaseModel):
    model_config = ConfigDict(frozen=True)

    at: Timestamp
    error: bool


class _Line(BaseModel):
    run_id: UUID
    task_id: str
    started_at: Timestamp
    ended_at: Timestamp
    termination_reason: str
    reward: float = Field(allow_inf_nan=False)
    agent: _Speaker
    tool_results: list[_ToolResult]


def read_run(line: Mapping[str, Any]) -> ImportedRun:
    """Make a run's events: its start, one usage report per turn of the agent, its end.

    A reward below 1 is a failed task. The simulated user's tokens are its own and are not counted. Tools that
    answered with an error are part of an agent's ordinary work: they are counted in the end's meta.

    Raises:
        pydantic.ValidationError: the line is not of this format.
        InvalidEventError: an event would break the event model.
    """
    run = _Line.model_validate(line)
    return ImportedRun(run.ended_at, (_started(run), *_usage(run), _ended(run)))


def _started(run: _Line) -> RunStarted:
    return build(
        RunStarted,
        {"summary": f"task {run.task_id}", "task_id": run.task_id},
        project=PROJECT,
        run_id=run.run_id,
        agent=AGENT,
        event_id=event_id_from(run.run_id, "started", {}),
        occurred_at=run.started_at,
    )


def _usage(run: _Line) -> Iterator[UsageReported]:
    for content in run.agent.turns:
        turn = _Turn.model_validate(content)
        usage = {
            "input_tokens": turn.input_tokens,
            "output_tokens": turn.output_tokens,
            "cost_usd": turn.cost_usd,
            "model": run.agent.model,
            "llm_calls": 1,
        }
        yield build(
            UsageReported,
            {"token_usage": usage, "traces": [{"tool": tool} for tool in turn.tools]},
            project=PROJECT,
            run_id=run.run_id,
            agent=AGENT,
            event_id=event_id_from(run.run_id, "usage", content),
            occurred_at=turn.at,
        )


def _ended(run: _Line) -> AnyRunEvent:
    status: Literal["completed", "failed"] = "completed" if run.reward >= 1 else "failed"
    results = set(run.tool_results)
    meta = {
        "task_id": run.task_id,
        "reward": run.reward,
        "termination_reason": run.termination_reason,
        "tools_called": len(results),
        "tool_errors": sum(result.error for result in results),
    }
    return build(
        RunEnded,
        {
            "status": status,
            "summary": f"task {run.task_id}: reward {run.reward}, {run.termination_reason}",
            "meta": meta,
        },
        project=PROJECT,
        run_id=run.run_id,
        agent=AGENT,
        event_id=event_id_from(run.run_id, "ended", {}),
        occurred_at=run.ended_at,
    )
