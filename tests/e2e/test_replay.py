"""Files of runs go in; what stands in Postgres is what is known of them."""

from __future__ import annotations

import random
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from psycopg.rows import dict_row

from runledger.analytics.summary import select_runs
from runledger.producers.client import RunClient
from runledger.producers.importers import read_events
from runledger.producers.settings import ProducerSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from tests.e2e.command import last_object, runledger
from tests.e2e.pipeline import pipeline, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

DATA = Path(str(resources.files("runledger"))) / "data"
AIRLINE = DATA / "airline_runs.jsonl"
HANDMADE = DATA / "handmade_runs.jsonl"
KNOWN = {
    "runs": 40,
    "completed": 32,
    "failed": 8,
    "llm_calls": 357,
    "input_tokens": 2_895_696,
    "output_tokens": 144_787,
    "cost_usd": "10.858893",
    "scored": 40,
    "verified": True,
}


@pytest.fixture
def settings(topics: ConnectionSettings, database: str) -> ConnectionSettings:
    """Topics and migrated tables of the test's own."""
    migrate(database)
    return topics.model_copy(update={"postgres": database})


def known_part(totals: dict[str, Any]) -> dict[str, Any]:
    """The keys whose values are known."""
    return {name: totals[name] for name in KNOWN}


def test_a_second_replay_changes_nothing_and_verify_sees_what_is_altered(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    with pipeline(settings, tmp_path):
        first = runledger(settings, "replay", str(AIRLINE), "--wait", "--json")
        again = runledger(settings, "replay", str(AIRLINE), "--wait", "--json")
    assert first.returncode == 0, first.stderr.decode()
    assert known_part(last_object(first.stdout)) == KNOWN
    assert last_object(first.stdout)["longest_failing_streak"] == 1
    assert again.returncode == 0, again.stderr.decode()
    assert last_object(again.stdout) == last_object(first.stdout)
    with psycopg.connect(settings.postgres, autocommit=True) as connection:
        assert connection.execute("SELECT count(*), count(rlhf_scores) FROM agent_run_log").fetchone() == (40, 40)
        connection.execute(
            "UPDATE agent_run SET output_tokens = output_tokens + 1 "
            "WHERE run_id = (SELECT run_id FROM agent_run ORDER BY run_id LIMIT 1)"
        )
    altered = runledger(settings, "verify", "--json")
    assert altered.returncode == 1
    assert b"output_tokens" in altered.stdout


def test_shuffled_and_doubled_events_come_to_the_same_totals(settings: ConnectionSettings, tmp_path: Path) -> None:
    events = list(read_events(AIRLINE)) * 2
    random.Random(7).shuffle(events)
    runs = list({(event.project_key, event.run_id) for event in events})
    with pipeline(settings, tmp_path), psycopg.connect(settings.postgres, autocommit=True) as connection:
        with RunClient(strict=True, settings=ProducerSettings(**settings.model_dump())) as client:
            for event in events:
                client.publish(event)
        wait_for(
            "all runs scored", lambda: sum(run.score is not None for run in select_runs(connection, runs)) == 40, 60
        )
        wait_for("a clean recount", lambda: verify(connection).clean, 30)
        result = runledger(settings, "replay", str(AIRLINE), "--wait", "--json")
    assert known_part(last_object(result.stdout)) == KNOWN


def test_a_file_with_lines_and_turns_shuffled_and_doubled_comes_to_the_same_totals(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    chance, shuffled = random.Random(11), tmp_path / "shuffled.jsonl"
    runs = [orjson.loads(line) for line in AIRLINE.read_bytes().splitlines()] * 2
    chance.shuffle(runs)
    for run in runs:
        run["agent"]["turns"] *= 2
        chance.shuffle(run["agent"]["turns"])
    shuffled.write_bytes(b"\n".join(orjson.dumps(run) for run in runs))
    with pipeline(settings, tmp_path):
        result = runledger(settings, "replay", str(shuffled), "--wait", "--json")
    assert result.returncode == 0, result.stderr.decode()
    assert known_part(last_object(result.stdout)) == KNOWN


def test_handmade_runs_come_to_what_is_written_beside_them(settings: ConnectionSettings, tmp_path: Path) -> None:
    """Silent, partial, interrupted, timed out, failed, several models, sub-runs, and the source document's example."""
    expected = orjson.loads((DATA / "handmade_runs.expected.json").read_bytes())
    with pipeline(settings, tmp_path, RUNLEDGER_RUN_DEADLINE_SECONDS="12"):
        result = runledger(settings, "replay", str(HANDMADE), "--wait", "--json")
        assert result.returncode == 0, result.stderr.decode()
        with psycopg.connect(settings.postgres, autocommit=True, row_factory=dict_row) as connection:
            wanted = expected["after_the_deadline"]["rows"]
            wait_for("the deadline's row", lambda: _count_scored(connection) == wanted, 60)
            check_totals(connection, expected["after_the_deadline"])
            check_each(connection, "agent_run", ("project_key", "run_id"), expected["runs"])
            check_each(connection, "agent_health", ("project_key", "agent_id"), expected["agents"])
            check_each(connection, "agent_run_log", ("project_key", "run_id"), expected["rows"])
        with psycopg.connect(settings.postgres, autocommit=True) as connection:
            wait_for("a clean recount", lambda: verify(connection).clean, 30)


def _count_scored(connection: psycopg.Connection[dict[str, Any]]) -> int:
    row = connection.execute("SELECT count(rlhf_scores) AS scored FROM agent_run_log").fetchone()
    assert row is not None
    return int(row["scored"])


def check_totals(connection: psycopg.Connection[dict[str, Any]], expected: dict[str, Any]) -> None:
    """Sums over all runs."""
    found = connection.execute(
        """
        SELECT count(*) AS runs,
               count(*) FILTER (WHERE status = 'running') AS running,
               count(*) FILTER (WHERE status = 'completed') AS completed,
               count(*) FILTER (WHERE status = 'failed') AS failed,
               count(*) FILTER (WHERE status = 'interrupted') AS interrupted,
               (SELECT count(*) FROM agent_run_log) AS rows,
               sum(llm_calls)::bigint AS llm_calls,
               sum(input_tokens)::bigint AS input_tokens,
               sum(output_tokens)::bigint AS output_tokens,
               sum(total_tokens)::bigint AS total_tokens,
               sum(cost_usd)::text AS cost_usd
        FROM agent_run
        """
    ).fetchone()
    assert found == expected


def check_each(
    connection: psycopg.Connection[dict[str, Any]], table: str, key: tuple[str, str], expected: list[dict[str, Any]]
) -> None:
    """Every row of a table, in every column that is written down for it."""
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608  # a literal of this test
    found = {tuple(str(row[name]) for name in key): row for row in rows}
    assert len(found) == len(expected)
    for wanted in expected:
        values = {**wanted, **wanted.get("after_the_deadline", {}), **wanted.get("usage", {})}
        row = found[tuple(str(wanted[name]) for name in key)]
        for name, value in values.items():
            if name in row:
                assert _plain(row[name]) == _plain(value), f"{table} {wanted[key[1]]}: {name}"


def _plain(value: object) -> object:
    """Times, costs and ids as the file has them."""
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    return value if value is None or isinstance(value, bool | int | list | dict) else str(value)
