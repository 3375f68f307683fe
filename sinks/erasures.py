"""What the tables hold of somebody who is to be erased. Only the sink deletes it, as the log tells it to (law 4)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from runledger.sinks.statements import statement


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is to be erased: one run, or all of one agent, or where neither is named a whole project.

    Args:
        project_key: project of the run or agent.
        run_id: the run.
        agent_id: the agent.
    """

    project_key: str
    run_id: UUID | None = None
    agent_id: str | None = None

    def __str__(self) -> str:
        """Name it for people."""
        if self.run_id is not None:
            return f"run {self.run_id} of project {self.project_key}"
        if self.agent_id is not None:
            return f"agent {self.agent_id} of project {self.project_key}"
        return f"project {self.project_key}"


def find_runs(connection: psycopg.Connection[Any], subject: Subject) -> frozenset[UUID]:
    """Return the ids under which something of the subject stands; those of failures and words that name no run, too."""
    if subject.run_id is not None:
        return frozenset({subject.run_id})
    asked = {"project_key": subject.project_key, "agent_id": subject.agent_id}
    return frozenset(UUID(run) for (run,) in connection.execute(statement("select_erasable_runs"), asked))


def find_agents(connection: psycopg.Connection[Any], subject: Subject) -> frozenset[str]:
    """Return the agents that go with the subject."""
    if subject.run_id is not None:
        return frozenset()
    if subject.agent_id is not None:
        return frozenset({subject.agent_id})
    asked = {"project_key": subject.project_key}
    return frozenset(agent for (agent,) in connection.execute(statement("select_erasable_agents"), asked))


def count_runs(connection: psycopg.Connection[Any], project_key: str, runs: Collection[UUID]) -> dict[str, int]:
    """Count the rows of these runs: {table: rows}, without tables that hold none."""
    asked = {"project_key": project_key, "run_ids": list(runs)}
    return dict(connection.execute(statement("count_runs_left"), asked).fetchall())


def count_agents(connection: psycopg.Connection[Any], project_key: str, agents: Collection[str]) -> dict[str, int]:
    """Count the rows of these agents themselves, their runs' apart."""
    asked = {"project_key": project_key, "agent_ids": list(agents)}
    return dict(connection.execute(statement("count_agents_left"), asked).fetchall())


def count_figures(connection: psycopg.Connection[Any], project_key: str) -> dict[str, int]:
    """Count the rows of a project that name no run and no agent."""
    return dict(connection.execute(statement("count_figures_left"), {"project_key": project_key}).fetchall())
