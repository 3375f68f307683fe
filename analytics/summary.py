"""What the ledger says of a given set of runs: the tables behind `runledger demo` and `runledger replay --wait`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from importlib import resources
from uuid import UUID

import psycopg
from psycopg.rows import class_row

_SQL = resources.files(__package__) / "sql"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run; None is unknown. Tokens and calls are counts, cost is in US dollars."""

    project_key: str
    run_id: UUID
    agent_id: str | None
    kind: str
    status: str
    outcome: str | None
    timed_out: bool
    started_at: datetime | None
    ended_at: datetime | None
    llm_calls: int | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cost_usd: Decimal | None
    cost_source: str
    failures: int
    action_summary: str | None
    silent: bool | None
    consecutive_silence_count: int | None
    consecutive_failure_count: int | None
    score: float | None


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent's streaks and what its runs used."""

    project_key: str
    agent_id: str
    finished_runs: int
    last_status: str | None
    consecutive_silence_count: int
    consecutive_failure_count: int
    longest_silence: int | None
    longest_failing_streak: int | None
    mean_score: float | None
    cost_usd: Decimal | None
    total_tokens: int | None


def _query(name: str) -> bytes:
    return (_SQL / f"{name}.sql").read_bytes()


def _named(runs: Collection[tuple[str, UUID]]) -> dict[str, object]:
    return {"project_keys": [project for project, _ in runs], "run_ids": [run for _, run in runs]}


def select_runs(connection: psycopg.Connection, runs: Collection[tuple[str, UUID]]) -> list[RunRow]:
    """Read the runs named by (project, run), in the order of their ends; unknown ones are missing."""
    with connection.cursor(row_factory=class_row(RunRow)) as cursor:
        return cursor.execute(_query("select_runs"), _named(runs)).fetchall()


def select_agents(connection: psycopg.Connection, runs: Collection[tuple[str, UUID]]) -> list[AgentRow]:
    """Read the agents under whose names the runs were logged."""
    with connection.cursor(row_factory=class_row(AgentRow)) as cursor:
        return cursor.execute(_query("select_agents"), _named(runs)).fetchall()


def _sum(values: Iterable[int | None]) -> int | None:
    """Sum what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _plain(cost_usd: Decimal | None) -> str | None:
    return None if cost_usd is None else f"{cost_usd.normalize():f}"


def totals(runs: Sequence[RunRow], agents: Sequence[AgentRow], *, verified: bool) -> dict[str, object]:
    """Add the runs up, as `runledger demo --json` prints it.

    Args:
        runs: of `select_runs`.
        agents: of `select_agents`.
        verified: whether the recount found no difference.
    """
    costs = [run.cost_usd for run in runs if run.cost_usd is not None]
    return {
        "runs": len(runs),
        "completed": sum(run.status == "completed" for run in runs),
        "failed": sum(run.status == "failed" for run in runs),
        "interrupted": sum(run.status == "interrupted" for run in runs),
        "running": sum(run.status == "running" for run in runs),
        "llm_calls": _sum(run.llm_calls for run in runs),
        "input_tokens": _sum(run.input_tokens for run in runs),
        "output_tokens": _sum(run.output_tokens for run in runs),
        "total_tokens": _sum(run.total_tokens for run in runs),
        "cost_usd": _plain(sum(costs, Decimal(0)) if costs else None),
        "logged": sum(run.consecutive_failure_count is not None for run in runs),
        "scored": sum(run.score is not None for run in runs),
        "agents": len(agents),
        "longest_failing_streak": max((agent.longest_failing_streak or 0 for agent in agents), default=None),
        "longest_silence": max((agent.longest_silence or 0 for agent in agents), default=None),
        "verified": verified,
    }
