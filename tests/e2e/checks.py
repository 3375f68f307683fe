"""The verdict: everything in the tables against what the generator knows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

import psycopg

from runledger.schemas.identifiers import row_id
from tests.e2e.generator import PROJECT, Generator


def _same(what: str, expected: Mapping[UUID, object], found: Mapping[UUID, object]) -> None:
    keys = expected.keys() | found.keys()
    wrong = {key: (expected.get(key), found.get(key)) for key in keys if expected.get(key) != found.get(key)}
    assert not wrong, f"{len(wrong)} {what} differ, such as (expected, found) {next(iter(wrong.items()))}"


def finished(connection: psycopg.Connection, generator: Generator) -> bool:
    """Whether every run has its row, its score and all of its events."""
    rows = connection.execute("SELECT count(*) FROM agent_run_log WHERE rlhf_scores IS NOT NULL").fetchone()
    events = connection.execute("SELECT count(*) FROM run_event").fetchone()
    expected = len(generator.sent) + generator.duplicates
    return rows == (len(generator.runs),) and events is not None and events[0] >= expected


def check_runs(connection: psycopg.Connection, generator: Generator) -> None:
    """Totals, status and counts of every run, and no run more."""
    found = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT run_id, agent_id, status, outcome, timed_out, ended_at, input_tokens, output_tokens, cost_usd, "
            "llm_calls, failures FROM agent_run WHERE project_key = %s",
            (PROJECT,),
        )
    }
    expected = {
        run.run_id: (
            run.agent_id,
            run.status,
            run.outcome,
            run.timed_out,
            run.ended_at,
            run.input_tokens,
            run.output_tokens,
            run.cost_usd if run.cost_usd is None else run.cost_usd.quantize(Decimal("1e-10")),
            run.llm_calls,
            run.failures,
        )
        for run in generator.runs
    }
    _same("runs", expected, found)


def check_rows(connection: psycopg.Connection, generator: Generator) -> None:
    """One row a finished run, with its streaks and exactly one score."""
    found = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT id, status, silent, consecutive_silence_count, consecutive_failure_count, late FROM agent_run_log"
        )
    }
    streaks = generator.streaks()
    expected = {
        row_id(PROJECT, run.run_id): (run.outcome, run.silent, *streaks[run.run_id], False) for run in generator.runs
    }
    _same("rows", expected, found)
    scores = connection.execute("SELECT count(*), count(DISTINCT row_id) FROM run_score").fetchone()
    assert scores == (len(expected), len(expected))
    outbox = connection.execute("SELECT count(*), count(sent_at) FROM scoring_outbox").fetchone()
    assert outbox == (len(expected), len(expected))


def check_agents(connection: psycopg.Connection, generator: Generator) -> None:
    """Current streaks and number of finished runs of every agent."""
    found = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT agent_id, finished_runs, consecutive_silence_count, consecutive_failure_count FROM agent_health"
        )
    }
    streaks = generator.streaks()
    expected = {agent: (len(runs), *streaks[runs[-1].run_id]) for agent, runs in generator.by_agent().items()}
    assert found == expected


def check_audit(connection: psycopg.Connection, generator: Generator) -> None:
    """Every event sent stands in the audit log, and none that was not, but for the timeouts."""
    found = {
        (row[0], row[1])
        for row in connection.execute(
            "SELECT DISTINCT run_id, event_id FROM run_event WHERE type <> 'runledger.run.timed_out.v1'"
        )
    }
    assert found == generator.sent
    letters = connection.execute("SELECT count(*) FROM run_event_default").fetchone()
    assert letters == (0,)


def check_all(connection: psycopg.Connection, generator: Generator) -> None:
    """Everything above."""
    check_runs(connection, generator)
    check_rows(connection, generator)
    check_agents(connection, generator)
    check_audit(connection, generator)
