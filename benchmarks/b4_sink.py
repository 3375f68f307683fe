"""B4: rows a second of the real sink, beside a plain COPY of the same rows into the same keyed tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from benchmarks import topics
from benchmarks.contest import say
from benchmarks.errors import WrongResultError
from benchmarks.load import Load, LoadRecord
from benchmarks.ours import worker
from benchmarks.rates import watch
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size
from runledger.processors import ledger, streaks
from runledger.processors.steps import At
from runledger.schemas.codec import encode
from runledger.schemas.identifiers import agent_key, run_key
from runledger.schemas.lean_events import lean
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import RUN_LOG, RUNS

NAME = "B4"
CLAIM = "sink: snapshots and logged runs from their topics into Postgres, beside COPY of the same rows, indexes and all"
TABLES = ("agent_run", "agent_run_log", "scoring_outbox")
_COPY_BLOCK = 1 << 20


def measure(servers: Servers, size: Size) -> Result:
    """Measure rows a second of both.

    Raises:
        BenchmarkError: the sink failed, was too slow, or did not write every row.
    """
    runs = size.events // 3
    snapshots, logged = make_records(runs)
    found: dict[str, list[float]] = {"ours": [], "copy": []}
    for number in range(1, size.rounds + 1):
        with servers.corner() as corner:
            topics.fill(corner.kafka, RUNS.name(corner.settings.topic_prefix), snapshots)
            topics.fill(corner.kafka, RUN_LOG.name(corner.settings.topic_prefix), logged)
            found["ours"].append(_sink_rate(corner, runs, size))
            found["copy"].append(_copy_rate(corner, runs))
            say(f"round {number}: ours {found['ours'][-1]:,.0f} rows/s, COPY {found['copy'][-1]:,.0f} rows/s")
    extra = {"runs": runs, "rows": len(TABLES) * runs, "tables": list(TABLES)}
    return compare(NAME, CLAIM, "rows/s", found, {"copy": 0.6}, extra=extra)


def make_records(runs: int) -> tuple[list[LoadRecord], list[LoadRecord]]:
    """Records of `runs` and `run-log`, made by the processors' own reducers."""
    load, at = Load(3 * runs, runs), datetime.now(UTC)
    states: dict[bytes, RunSnapshot | None] = {}
    agents: dict[bytes, AgentHealth] = {}
    logged: list[LoadRecord] = []
    for offset, event in enumerate(load.events()):
        key = run_key(event.project_key, event.run_id)
        step = ledger.apply(states.get(key), lean(event), At(offset, at))
        states[key] = step.state
        for outcome in step.emitted:
            agent = agent_key(outcome.project_key, outcome.agent_id)
            told = streaks.apply(agents.get(agent), outcome, At(len(logged), at), streaks.StreakPolicy())
            agents[agent] = told.state
            logged += [LoadRecord(agent, encode(record), "") for record in told.emitted[:1]]
    return [LoadRecord(key, encode(state), "") for key, state in states.items()], logged


def _sink_rate(corner: Corner, runs: int, size: Size) -> float:
    """Rows a second: a snapshot makes one row, a logged run two (its own and its scoring job)."""
    with corner.connect() as connection, worker(corner, "sink") as running:

        def rows_written() -> int:
            query = "SELECT topic, sum(next_offset) FROM consumer_offset GROUP BY topic"
            offsets: dict[str, int] = dict(connection.execute(query).fetchall())
            runs_topic, log_topic = (topic.name(corner.settings.topic_prefix) for topic in (RUNS, RUN_LOG))
            return int(offsets.get(runs_topic, 0)) + 2 * int(offsets.get(log_topic, 0))

        rate = watch(rows_written, 3 * runs, deadline_seconds=size.deadline_seconds, check=running.check)
        for table in TABLES:
            count = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            if count != (runs,):
                raise WrongResultError(f"{table} holds {count} rows, not {runs}")
        wrong = "SELECT count(*) FROM agent_run WHERE status <> 'completed' OR events <> 3"
        if connection.execute(wrong).fetchone() != (0,):
            raise WrongResultError("some rows of agent_run are not those of the snapshots")
    return rate.per_second


def _copy_rate(corner: Corner, runs: int) -> float:
    """Rows a second of COPY into tables with the same columns, keys and indexes: one statement and commit a table."""
    seconds = 0.0
    with corner.connect() as connection:
        for table in TABLES:
            copy_of = f"copy_of_{table}"
            create = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)")
            connection.execute(create.format(sql.Identifier(copy_of), sql.Identifier(table)))
            columns = _columns(connection, table)
            blocks = list(_dump(connection, table, columns))
            began = time.perf_counter()
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(copy_of), columns)
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for block in blocks:
                    copy.write(block)
            seconds += time.perf_counter() - began
    return len(TABLES) * runs / seconds


def _columns(connection: psycopg.Connection, table: str) -> sql.Composed:
    query = """
        SELECT attname FROM pg_attribute
        WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = ''
        ORDER BY attnum
    """
    return sql.SQL(", ").join(sql.Identifier(name) for (name,) in connection.execute(query, [table]))


def _dump(connection: psycopg.Connection, table: str, columns: sql.Composed) -> Iterator[bytes]:
    """The table's rows in COPY's own form, in blocks, in the order in which the sink wrote them."""
    out = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, sql.Identifier(table))
    block = bytearray()
    with connection.cursor() as cursor, cursor.copy(out) as copy:
        for row in copy:
            block += row
            if len(block) > _COPY_BLOCK:
                yield bytes(block)
                block.clear()
    yield bytes(block)
