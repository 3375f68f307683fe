"""Rows of runs as the sink could have written them, made up at random, with every NULL that there may be."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import psycopg
from psycopg.types.json import Jsonb

MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
PROJECTS = ("a", "b")
_NAMESPACE = UUID(int=10)
_BLANK: dict[str, Any] = {
    "log_partition": 0,
    "born_offset": 0,
    "version": 1,
    "kind": "lifecycle",
    "reported": Jsonb({}),
    "reported_cost_source": "unknown",
    "final_cost_source": "unknown",
    "usage_mismatch": False,
    "events": 1,
    "failures": 0,
    "traces": 0,
    "inferred": False,
    "timed_out": False,
    "end_conflict": False,
    "clock_clamped": False,
    "outcome_revision": 1,
}
TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "llm_calls",
)


@dataclass(slots=True)
class Rows:
    """What was written, row by row."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    logged: list[dict[str, Any]] = field(default_factory=list)
    agents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)


def insert(connection: psycopg.Connection, table: str, row: Mapping[str, Any]) -> None:
    """Write one row."""
    columns = ", ".join(row)
    values = ", ".join(f"%({name})s" for name in row)
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})".encode(), row)  # noqa: S608  # names of the tests' own


def write_rows(connection: psycopg.Connection, seed: int, count: int = 80) -> Rows:
    """Make up runs of two projects, write them with their agents, and return them."""
    dice, rows = random.Random(seed), Rows()
    for number in range(count):
        run = _run(dice, uuid5(_NAMESPACE, f"{seed}/{number}"))
        rows.runs.append(run)
        insert(connection, "agent_run", _BLANK | run)
        if run["outcome"] is not None:
            _log(connection, dice, rows, run)
    for project in PROJECTS:
        insert(connection, "project", {"project_key": project})
        _agent(connection, dice, rows, project, "never-ran")
        for agent in sorted({one["agent_id"] for one in rows.logged if one["project_key"] == project}):
            _agent(connection, dice, rows, project, agent)
    return rows


def _run(dice: random.Random, run_id: UUID) -> dict[str, Any]:
    """Make up a run: around midnight, of any cost source, with or without an end, an agent, a start."""
    told_at = MIDNIGHT + timedelta(days=dice.randrange(12), microseconds=dice.choice([-1, 0, 1, 40_000_000_000]))
    outcome = dice.choice([None, "success", "success", "partial", "failed"])
    source = dice.choice(["reported", "estimated", "mixed", "unknown"])
    run: dict[str, Any] = {
        "project_key": dice.choice(PROJECTS),
        "run_id": run_id,
        "row_id": uuid5(_NAMESPACE, str(run_id)),
        "agent_id": dice.choice(["sage", "nova", None]),
        "status": "running" if outcome is None else "completed",
        "outcome": outcome,
        "models": dice.choice([[], ["m"], ["m"], ["m", "n"]]),
        "cost_source": source,
        "cost_usd": None if source == "unknown" else Decimal(dice.choice([0, 1, 10**9])) / 10**10,
        "started_at": dice.choice([None, told_at - timedelta(seconds=dice.randrange(-5, 90))]),
        "ended_at": None if outcome is None else told_at,
        "last_occurred_at": told_at if outcome is None and dice.random() < 0.5 else None,
        "last_logged_at": told_at,
        "heard_at": told_at + timedelta(seconds=dice.choice([-299, 0, 10**6])),
    }
    return run | {name: dice.choice([None, 0, 7, 2**53 - 1]) for name in TOKENS}


def _log(connection: psycopg.Connection, dice: random.Random, rows: Rows, run: Mapping[str, Any]) -> None:
    overall = dice.choice([None, Decimal("0.0001"), Decimal("0.3333"), Decimal(1)])
    scores = None
    if overall is not None:
        parts = {name: float(overall) for name in ("outcome", "tone", "overall") if dice.random() < 0.6}
        scores = {"overall": float(overall), "dimensions": parts, "rubric": "r"}
    row = {
        "id": run["row_id"],
        "project_key": run["project_key"],
        "run_id": run["run_id"],
        "agent_id": run["agent_id"] or "unknown",
        "run_at": run["last_logged_at"],
        "status": run["outcome"],
        "silent": dice.choice([None, False, True]),
        "inferred": run["outcome"] == "failed" and dice.random() < 0.5,
        "consecutive_failure_count": dice.randrange(4),
        "consecutive_silence_count": dice.randrange(4),
        "ended_at": run["ended_at"],
        "rlhf_scores": None if scores is None else Jsonb(scores),
    }
    rows.logged.append(row | {"scores": scores, "run": run})
    insert(connection, "agent_run_log", row)


def _agent(connection: psycopg.Connection, dice: random.Random, rows: Rows, project: str, agent: str) -> None:
    """Make an agent; of those that ran, its health and incidents too."""
    settings = {"name": dice.choice([None, agent.title()]), "retired": dice.random() < 0.3}
    heard_at = dice.choice([None, MIDNIGHT + timedelta(days=99)])
    insert(connection, "agent", {"project_key": project, "agent_id": agent, "heard_at": heard_at} | settings)
    known: dict[str, Any] = settings | {"heard_at": heard_at, "health": None, "incidents": []}
    if agent != "never-ran":
        known["health"] = {
            "version": 1,
            "last_logged_at": MIDNIGHT,
            "last_ended_at": MIDNIGHT,
            "last_status": dice.choice(["success", "failed"]),
            "finished_runs": 3,
            "consecutive_silence_count": dice.randrange(3),
            "consecutive_failure_count": dice.randrange(3),
        }
        insert(connection, "agent_health", {"project_key": project, "agent_id": agent} | known["health"])
        known["incidents"] = [dice.choice(["open", "recovered"]) for _ in range(dice.randrange(3))]
    for number, state in enumerate(known["incidents"]):
        incident = {
            "incident_id": uuid5(_NAMESPACE, f"{project}/{agent}/{number}"),
            "project_key": project,
            "agent_id": agent,
            "kind": "failing",
            "state": state,
            "threshold": 3,
            "run_id": UUID(int=1),
            "opened_at": MIDNIGHT,
            "version": 1,
        }
        insert(connection, "incident", incident)
    rows.agents[project, agent] = known
