"""Rows of runs and of logged runs: new ones are copied straight into their tables, the others changed in place.

For a new row COPY costs the database half of what `INSERT ... ON CONFLICT` does. So it is asked first which rows stand.
Nobody else adds rows of these runs meanwhile, as the batch's positions are locked; but a run may be logged under two
agents, and so by two sinks at once. Then COPY is refused, and the batch is written again with care: each row as if
another might stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import psycopg

from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.snapshots import RunSnapshot
from runledger.sinks.batch import Batch
from runledger.sinks.copying import text_of
from runledger.sinks.loading import load
from runledger.sinks.rows import JOB_COLUMNS, LOG_COLUMNS, RUN_COLUMNS, Log, as_json, named
from runledger.sinks.statements import statement
from runledger.sinks.texts import Texts


def write_runs(
    connection: psycopg.Connection, batch: Batch, texts: Texts, standing: Collection[bytes], *, careful: bool
) -> None:
    """Write the runs of a batch: each row only if it is newer and of the same birth.

    Args:
        connection: within the batch's transaction, whose positions are locked.
        batch: its runs and what is late of others.
        texts: its rows.
        standing: keys of runs that are known to have a row, or none because they were pruned.
        careful: take every row for one that may stand.

    Raises:
        psycopg.errors.UniqueViolation: without care, somebody has written one of the rows.
    """
    runs, changed = list(batch.runs.values()), 0
    held = {number for number, key in enumerate(batch.runs) if careful or key in standing}
    others = [number for number in range(len(runs)) if number not in held]
    held |= {others[found] for found in _find(connection, "find_standing_runs", [runs[it].snapshot for it in others])}
    fresh, known = _part(texts.runs, held)
    load(connection, "agent_run", RUN_COLUMNS, text_of(sorted(fresh)))
    if known:
        load(connection, "incoming_run", RUN_COLUMNS, text_of(known))
        if careful:
            connection.execute(statement("insert_missing_runs"), prepare=False)
        changed = connection.execute(statement("update_runs"), prepare=False).rowcount
        if changed < len(known) and not careful:
            # What is remembered may be so no more: another may have deleted a row, or the word that a run was pruned.
            changed += connection.execute(statement("insert_missing_runs"), prepare=False).rowcount
    if changed < len(known) or batch.late:
        # A row that was not changed stands newer, or is of another birth: the statement finds which.
        births = [*(runs[number].birth for number in sorted(held)), *batch.late]
        connection.execute(statement("mark_late_runs"), {"rows": as_json(births)})


def write_logs(connection: psycopg.Connection, batch: Batch, texts: Texts, *, careful: bool) -> None:
    """Write the logged runs of a batch, and the jobs of those that are new: each once, a newer revision in its place.

    Args:
        connection: within the batch's transaction, which holds the lock of the run log.
        batch: its logged runs.
        texts: their rows and jobs.
        careful: take every row for one that may stand.

    Raises:
        psycopg.errors.UniqueViolation: without care, somebody has written one of the rows.
    """
    logs = list(batch.logs.values())
    outcomes = [log.logged.outcome for log in logs]
    held = set(range(len(logs))) if careful else set(_find(connection, "find_standing_logs", outcomes))
    fresh, known = _part(texts.logs, held)
    fresh_jobs, known_jobs = _part(texts.jobs, held)
    if fresh:
        load(connection, "agent_run_log", LOG_COLUMNS, text_of(sorted(fresh)))
        load(connection, "scoring_outbox", JOB_COLUMNS, text_of(fresh_jobs))
        _count(connection, [log for number, log in enumerate(logs) if number not in held])
    if known:
        lines = map("\t".join, zip(known, known_jobs, strict=True))
        load(connection, "incoming_log", LOG_COLUMNS + JOB_COLUMNS, text_of(lines))
        connection.execute(statement("upsert_run_log"), prepare=False)


def _find(connection: psycopg.Connection, name: str, told: Sequence[RunSnapshot | RunOutcome]) -> list[int]:
    """Return the numbers, from 0, of the rows that may stand."""
    if not told:
        return []
    return [number - 1 for (number,) in connection.execute(statement(name), named(told), prepare=False)]


def _part(lines: list[str], held: Collection[int]) -> tuple[list[str], list[str]]:
    """Part lines into those of new rows and the others, each in their order."""
    if not held:
        return lines, []
    fresh = [line for number, line in enumerate(lines) if number not in held]
    return fresh, [lines[number] for number in sorted(held)]


def _count(connection: psycopg.Connection, logs: list[Log]) -> None:
    """Count new rows in the rollup, which is kept by their created_at."""
    shards = Counter((log.logged.outcome.project_key, log.record.partition) for log in logs)
    of_status = Counter(
        (log.logged.outcome.project_key, log.record.partition, log.logged.outcome.status) for log in logs
    )
    counted = [
        {"project_key": project_key, "shard": shard, "runs": runs}
        | {status: of_status[project_key, shard, status] for status in ("success", "partial", "failed")}
        for (project_key, shard), runs in shards.items()
    ]
    connection.execute(statement("count_new_logs"), {"rows": as_json(counted)})
