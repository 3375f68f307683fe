"""How fast `runledger prune` goes, and whether a sink beside it waits: `python -m tests.measure_prune URI [RUNS]`.

It makes a database of its own on the server of the URI, fills it with ended runs of last year (each a row of the run
log, three events and a score), writes on as a sink does, first alone and then beside the prune, prints, and drops it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg

from runledger.sinks.migrate import migrate
from runledger.sinks.pruning import Scope, prune
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import random_story
from tests.servers import own_database

RUNS = 200_000
_SIZE = "SELECT pg_database_size(current_database())"
_LOGGED = "SELECT pg_current_wal_lsn() - '0/0'"
_ALONE_SECONDS = 15.0
_BATCH_RECORDS = 50
_PAUSE_SECONDS = 0.1
_MADE = """
WITH made AS (
    SELECT n, lpad(to_hex(n), 32, '0')::uuid AS id,
        date_trunc('day', now()) - interval '300 days' + n * interval '8 seconds' AS at
    FROM generate_series(1, %(runs)s) AS n
), runs AS (
    INSERT INTO agent_run (project_key, run_id, row_id, log_partition, born_offset, version, last_logged_at, kind,
        status, cost_source, reported, reported_cost_source, final_cost_source, usage_mismatch, models, events,
        failures, traces, inferred, timed_out, end_conflict, clock_clamped, outcome_revision, heard_at)
    SELECT 'old', id, id, n %% 4, n, n + 3, at, 'lifecycle', 'completed', 'reported', '{"input_tokens": 10}',
        'reported', 'unknown', false, ARRAY['claude-sonnet-4-5'], 3, 0, 0, false, false, false, false, 1, at
    FROM made
), logged AS (
    INSERT INTO agent_run_log (id, agent_id, run_at, action_summary, actions_taken, status, created_at, project_key,
        run_id, kind, run_status, silent, ended_at, log_partition, log_offset)
    SELECT id, 'agent-' || n %% 50, at, 'answered a question', '{"summary": "answered a question"}', 'success', at,
        'old', id, 'lifecycle', 'completed', false, at, n %% 4, n
    FROM made
), scored AS (
    INSERT INTO run_score (job_id, row_id, project_key, run_id, agent_id, rubric, scorer, overall, dimensions,
        scored_at)
    SELECT id, id, 'old', id, 'agent-' || n %% 50, 'default', 'heuristic', 0.75, '{}', at
    FROM made
)
INSERT INTO run_event (log_day, log_partition, log_offset, logged_at, project_key, run_id, event_id, type,
    occurred_at, source, data)
SELECT (at AT TIME ZONE 'UTC')::date, n %% 4, n * 3 + part, at, 'old', id, n || '-' || part,
    (ARRAY['runledger.run.started.v1', 'runledger.usage.reported.v1', 'runledger.run.ended.v1'])[part + 1], at, 'made',
    '{"token_usage": {"input_tokens": 10, "model": "claude-sonnet-4-5"}}'
FROM made, generate_series(0, 2) AS part
"""


def fill(connection: psycopg.Connection, runs: int) -> None:
    """Make the old runs, with a table for each of their days."""
    connection.execute("INSERT INTO project (project_key) VALUES ('old')")
    connection.execute(
        "SELECT make_run_event_day(current_date - 300 + n) FROM generate_series(0, %(days)s) AS n",
        {"days": runs * 8 // 86400 + 1},
    )
    connection.execute(_MADE.encode(), {"runs": runs})
    connection.execute("VACUUM ANALYZE")


class Writing:
    """Writes small batches as a sink does, until it is told to stop, and keeps how long each took."""

    def __init__(self, uri: str, connection: psycopg.Connection) -> None:
        self.seconds: list[float] = []
        self._ledger = Ledger(uri, connection, Writer(SinkSettings(postgres=uri)))
        self._records = random_story(1, 6000, 1500, 20).records
        self._next = 0

    def until(self, stopping: threading.Event) -> list[float]:
        """Write until it is set, or all is written; return the seconds of each transaction."""
        taken: list[float] = []
        while self._next < len(self._records) and not stopping.wait(_PAUSE_SECONDS):
            batch = self._records[self._next : self._next + _BATCH_RECORDS]
            self._next += len(batch)
            began = time.monotonic()
            self._ledger.write(batch)
            taken.append(time.monotonic() - began)
        return taken

    def close(self) -> None:
        """End its connection."""
        self._ledger.writer.close()


def told(taken: list[float]) -> str:
    """Say how long transactions took."""
    ordered = sorted(taken)
    shares = [(f"p{share}", ordered[min(len(ordered) - 1, len(ordered) * share // 100)]) for share in (50, 95, 99)]
    parts = [f"{name} {1000 * seconds:.0f} ms" for name, seconds in [*shares, ("longest", ordered[-1])]]
    return f"{len(ordered)} transactions, {', '.join(parts)}"


def number(connection: psycopg.Connection, statement: str) -> int:
    """Ask for one number."""
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


def measure(postgres: str, runs: int) -> Iterator[str]:
    """Fill, prune, and say what came of it."""
    with own_database(postgres) as uri, psycopg.connect(uri, autocommit=True) as connection:
        migrate(uri)
        fill(connection, runs)
        full = number(connection, _SIZE)
        yield f"{runs:,} runs, {3 * runs:,} events, {full / 1e6:,.0f} MB"
        with closing(Writing(uri, connection)) as writing:
            alone = threading.Event()
            threading.Timer(_ALONE_SECONDS, alone.set).start()
            yield f"sink alone: {told(writing.until(alone))}"
            yield from beside(writing, uri, connection)
        pruned = number(connection, _SIZE)
        connection.execute("VACUUM")
        yield f"database: {pruned / 1e6:,.0f} MB after it, {number(connection, _SIZE) / 1e6:,.0f} MB once vacuumed"


def beside(writing: Writing, uri: str, connection: psycopg.Connection) -> Iterator[str]:
    """Prune while the sink writes on."""
    done, taken = threading.Event(), list[float]()
    sink = threading.Thread(target=lambda: taken.extend(writing.until(done)))
    logged, began = number(connection, _LOGGED), time.monotonic()
    sink.start()
    with closing(Writer(SinkSettings(postgres=uri))) as pruner:
        pruned = prune(pruner, Scope(datetime.now(UTC) - timedelta(days=90), "old"))
    seconds = time.monotonic() - began
    done.set()
    sink.join()
    logged, rows = number(connection, _LOGGED) - logged, sum(pruned.rows.values())
    yield f"prune: {seconds:.1f} s, {pruned.rows['agent_run'] / seconds:,.0f} runs/s, {rows / seconds:,.0f} rows/s"
    yield f"sink beside it: {told(taken)}"
    yield f"write-ahead log: {logged / 1e6:,.0f} MB, {logged / rows:.0f} bytes a row; {dict(pruned.rows)}"


if __name__ == "__main__":
    for line in measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else RUNS):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
