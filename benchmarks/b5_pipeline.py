"""B5: the whole pipeline, from the topic to exact rows in Postgres, beside peers that write totals only."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import psycopg

from benchmarks.checks import check_totals, table_totals
from benchmarks.contest import rates, say
from benchmarks.errors import WrongResultError
from benchmarks.load import Load
from benchmarks.ours import check_all, our_position, workers
from benchmarks.rates import Rate, watch
from benchmarks.results import Result, compare
from benchmarks.rivals import QUIX_COMMIT_SECONDS, arroyo, quix
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size
from runledger.schemas.topics import RUN_EVENTS, RUN_LOG

NAME = "B5"
CLAIM = "whole pipeline: events in the topic until audit rows, totals and streaks stand in Postgres, all exact"
TARGET = 20_000
WORKERS = ("processor", "sink", "relay", "scorer", "watch")
OUR_TOTALS = "SELECT project_key || '/' || run_id, coalesce(input_tokens, 0), events FROM agent_run"
QUIX_TABLE = "CREATE TABLE IF NOT EXISTS quix_totals (run text PRIMARY KEY, tokens bigint, events bigint)"
ARROYO_TABLE = "CREATE TABLE IF NOT EXISTS arroyo_totals (run text PRIMARY KEY, tokens bigint, events bigint)"
_ARROYO_BATCH_SECONDS = 1.0


def measure(servers: Servers, size: Size) -> Result:
    """Measure events a second of all three, by what stands in Postgres.

    Raises:
        BenchmarkError: a contestant failed, was too slow, or its rows are wrong.
    """
    load, cpu = Load(size.events, size.runs), {}

    def ours(corner: Corner, load: Load, size: Size) -> Rate:
        rate, used = pipeline_rate(corner, load, size)
        cpu.update(used)
        say(f"CPU seconds: {', '.join(f'{name} {seconds:.1f}' for name, seconds in used.items())}")
        return rate

    contestants = {"ours": ours, "quixstreams": quix_rate, "sentry-arroyo": arroyo_rate}
    found = rates(servers, size, load, contestants)
    extra: dict[str, Any] = {
        "events": load.count,
        "runs": load.runs,
        "mean_event_bytes": round(load.mean_bytes),
        "cpu_seconds_per_million_events": {name: round(1e6 * used / load.count, 1) for name, used in cpu.items()},
    }
    met = statistics.median(found["ours"]) >= TARGET
    return compare(
        NAME,
        CLAIM,
        "events/s",
        found,
        {"quixstreams": 1.0, "sentry-arroyo": None},
        extra=extra,
        target=f">= {TARGET:,} events/s",
        target_met=met,
    )


def pipeline_rate(corner: Corner, load: Load, size: Size) -> tuple[Rate, dict[str, float]]:
    """Events a second of all our processes, and {process: CPU seconds used}.

    An event counts once its audit row stands and its run's row includes it; the end is when all logged runs stand too.

    Raises:
        BenchmarkError: a process ended, was too slow, or a row is wrong.
    """
    with corner.connect() as connection, our_position(corner) as folded, workers(corner, *WORKERS) as running:
        rate = watch(
            lambda: reached(connection, corner, load),
            load.count,
            deadline_seconds=size.deadline_seconds,
            begun=lambda: max(folded(), audited(connection, corner)),
            check=check_all(running),
        )
        used = {one.name.rpartition("-")[0]: one.usage().cpu_seconds for one in running}
        _check_rows(connection, load)
    check_totals("our pipeline", table_totals(corner, OUR_TOTALS), load.totals())
    return rate, used


def reached(connection: psycopg.Connection, corner: Corner, load: Load) -> int:
    """Events that stand in Postgres in full; all of them only when every logged run does too."""
    query = """
        SELECT least(
            (SELECT coalesce(sum(events), 0) FROM agent_run),
            (SELECT coalesce(sum(next_offset), 0) FROM consumer_offset WHERE topic = %s)
        ), (SELECT coalesce(sum(next_offset), 0) FROM consumer_offset WHERE topic = %s)
    """
    prefix = corner.settings.topic_prefix
    row = connection.execute(query, [RUN_EVENTS.name(prefix), RUN_LOG.name(prefix)]).fetchone()
    events, logged = (0, 0) if row is None else (int(row[0]), int(row[1]))
    # The log's offsets count transaction markers too, so they only tell when to count the rows.
    if events >= load.count and (logged < load.runs or _count(connection, "agent_run_log") < load.runs):
        return load.count - 1
    return min(events, load.count)


def audited(connection: psycopg.Connection, corner: Corner) -> int:
    """Events whose audit rows stand."""
    query = "SELECT coalesce(sum(next_offset), 0) FROM consumer_offset WHERE topic = %s"
    row = connection.execute(query, [corner.source]).fetchone()
    return 0 if row is None else int(row[0])


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  # our own names
    return 0 if row is None else int(row[0])


def _check_rows(connection: psycopg.Connection, load: Load) -> None:
    """Audit rows and streaks: every run completed with a summary, so that no streak ever begins."""
    for table, count in (("run_event", load.count), ("agent_run_log", load.runs), ("agent_run", load.runs)):
        if _count(connection, table) != count:
            raise WrongResultError(f"{table} holds {_count(connection, table)} rows, not {count}")
    query = """
        SELECT count(*) FROM agent_run_log
        WHERE status <> 'success' OR consecutive_silence_count <> 0 OR consecutive_failure_count <> 0 OR silent
    """
    if connection.execute(query).fetchone() != (0,):
        raise WrongResultError("streaks are not those of the events")


def _table_rate(corner: Corner, load: Load, size: Size, who: str, table: str, check: Callable[[], None]) -> Rate:
    with corner.connect() as connection:

        def reached() -> int:
            row = connection.execute(f"SELECT coalesce(sum(events), 0) FROM {table}").fetchone()  # noqa: S608  # our own names
            return 0 if row is None else int(row[0])

        seconds = size.deadline_seconds
        rate = watch(reached, load.count, deadline_seconds=seconds, check=check)
    check_totals(who, table_totals(corner, f"SELECT run, tokens, events FROM {table}"), load.totals())  # noqa: S608  # our own names
    return rate


def quix_rate(corner: Corner, load: Load, size: Size) -> Rate:
    """Events a second of Quix Streams with its PostgreSQL sink.

    Raises:
        BenchmarkError: it ended, was too slow, or its rows are wrong.
    """
    with corner.connect() as connection:
        connection.execute(QUIX_TABLE)
    with quix(corner, commit_seconds=QUIX_COMMIT_SECONDS, commit_every=load.count // 30, sink=True) as running:
        return _table_rate(corner, load, size, "Quix Streams", "quix_totals", running.check)


def arroyo_rate(corner: Corner, load: Load, size: Size) -> Rate:
    """Events a second of arroyo with upserts; it keeps no state, and a crash would count a batch twice.

    Raises:
        BenchmarkError: it ended, was too slow, or its rows are wrong.
    """
    with corner.connect() as connection:
        connection.execute(ARROYO_TABLE)
    with arroyo(corner, batch_seconds=_ARROYO_BATCH_SECONDS) as running:
        return _table_rate(corner, load, size, "sentry-arroyo", "arroyo_totals", running.check)
