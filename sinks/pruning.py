"""Delete what is older than a date, in short transactions, beside sinks that go on writing (docs/retention.md).

Runs go whole or not at all, in the order in which they were last heard. What is deleted is not looked at again, so a
prune that ended half-way is finished by the next one. The order matters: first the rows of runs, then failures of no
run, then words on kinds of failures that are gone, then the events that nothing refers to any more.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import structlog

from runledger.sinks.failure_groups import forget_failures
from runledger.sinks.rows import Row, as_json
from runledger.sinks.sqlstate import decide_error, reason_of
from runledger.sinks.statements import statement
from runledger.sinks.writer import Writer

_log = structlog.get_logger()

RUNS_AT_ONCE = 500
"""Sinks wait for one such transaction: a tenth to two tenths of a second."""
_EVENTS_AT_ONCE = 10_000
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.5
_LOCK_WAIT = "2s"
"""While we wait for a table's lock, whoever writes to it waits behind us."""
_BEFORE_ALL = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
_ALL_OF_THEM = 2**62

_Done = TypeVar("_Done")
Progress = Callable[[int, int], None]
"""Called with (runs deleted, runs to be deleted)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to go.

    Args:
        before: log time; whatever was heard of since stays.
        project_key: only this project's; None for all.
    """

    before: datetime
    project_key: str | None = None


@dataclass(slots=True)
class Pruned:
    """What went.

    Args:
        rows: {table: rows deleted}.
        days: days of run_event whose tables were dropped, being empty.
        days_left: days whose tables are empty, but were in use by a long reader; the next prune drops them.
    """

    rows: Counter[str] = field(default_factory=Counter)
    days: list[date] = field(default_factory=list)
    days_left: list[date] = field(default_factory=list)


def preview(writer: Writer, scope: Scope) -> Pruned:
    """Count what `prune` would delete, and delete nothing.

    Raises:
        psycopg.Error: the database cannot be asked.
    """
    return Pruned(Counter(dict(_patiently(writer, partial(_ask, writer, "preview_prune", _asked(scope))))))


def prune(writer: Writer, scope: Scope, progress: Progress = lambda _done, _of: None) -> Pruned:
    """Delete ended runs of which nothing was heard since a date, and all that hangs on them.

    Args:
        writer: with a connection of its own, used by nobody else meanwhile.
        scope: what is to go.
        progress: told after each transaction.

    Raises:
        psycopg.Error: the database refuses, or does not come back; what was deleted until then stays deleted.
    """
    pruned = Pruned()
    ((of,),) = _patiently(writer, partial(_ask, writer, "count_prunable_runs", _asked(scope)))
    for (project_key,) in _patiently(writer, partial(_ask, writer, "select_prunable_projects", _asked(scope))):
        own = Scope(scope.before, project_key)
        _run_once(writer, "note_prune", _asked(own))
        # What resolved a failure is free once that failure has gone.
        while _prune_runs(writer, own, pruned, partial(_tell, progress, of)) + _prune_failures(writer, own, pruned):
            pass
        for name, table in _BY_AGE:
            while count := _run_once(writer, name, _asked(own)):
                pruned.rows[table] += count
    _prune_events(writer, scope, pruned)
    return pruned


def _tell(progress: Progress, of: int, done: int) -> None:
    progress(done, max(of, done))


_BY_AGE = (
    ("prune_resolutions", "failure_resolution"),
    ("prune_incidents", "incident"),
    ("prune_refused_events", "refused_event"),
)
"""(statement, table it deletes from)."""


def _asked(scope: Scope) -> dict[str, Any]:
    return {"project_key": scope.project_key, "before": scope.before, "limit": RUNS_AT_ONCE}


def _patiently(writer: Writer, work: Callable[[], _Done]) -> _Done:
    """Try one transaction again where waiting helps: each can be repeated, and says what stands."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return work()
        except psycopg.Error as error:
            writer.close()
            if decide_error(error) != "retry" or attempt == _ATTEMPTS:
                raise
            _log.warning("prune_interrupted", reason=reason_of(error), retry_in_seconds=_PAUSE_SECONDS * attempt)
            time.sleep(_PAUSE_SECONDS * attempt)
    raise AssertionError("the loop returns or raises")


def _ask(writer: Writer, name: str, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that returns rows; it may take its time."""
    with writer.transaction(alone=False) as connection:
        connection.execute("SET LOCAL statement_timeout = 0")
        return connection.execute(statement(name), asked, prepare=False).fetchall()


def _run_once(writer: Writer, name: str, asked: dict[str, Any]) -> int:
    """Run a statement that deletes; return how many rows went."""

    def run() -> int:
        with writer.transaction(alone=False) as connection:
            return _count(connection, name, asked)

    return _patiently(writer, run)


def _count(connection: psycopg.Connection, name: str, asked: dict[str, Any]) -> int:
    """Run a statement that deletes; where it returns a row, that counts."""
    cursor = connection.execute(statement(name), asked, prepare=False)
    counted = cursor.fetchone() if cursor.description else None
    return cursor.rowcount if counted is None else int(counted[0])


def _prune_runs(writer: Writer, scope: Scope, pruned: Pruned, tell: Callable[[int], None]) -> int:
    """Go once through the old runs of a project; return how many went."""
    after, before = _BEFORE_ALL, pruned.rows["agent_run"]
    while True:
        places, counts = _patiently(writer, partial(_prune_batch, writer, scope, after))
        if not places:
            return pruned.rows["agent_run"] - before
        pruned.rows.update(counts)
        tell(pruned.rows["agent_run"])
        after = places[-1]


def _prune_batch(
    writer: Writer, scope: Scope, after: tuple[datetime, UUID]
) -> tuple[list[tuple[datetime, UUID]], Counter[str]]:
    """Delete some runs in one transaction; return their places, and how many rows of each table went."""
    counts: Counter[str] = Counter()
    with writer.transaction(alone=True) as connection:
        asked = _asked(scope) | {"after_at": after[0], "after_run": after[1]}
        found = connection.execute(statement("select_prunable_runs"), asked, prepare=False).fetchall()
        if not found:
            return [], counts
        runs = [
            {"project_key": project_key, "run_id": run_id, "row_id": row_id, "before_offset": _ALL_OF_THEM}
            for project_key, run_id, row_id, _ in found
        ]
        for name, table in _OF_RUNS:
            counts[table] += _count(connection, name, {"rows": as_json(runs)})
        counts["run_failure"] += forget_failures(connection, "erase_failures", runs)
    return [(heard_at, UUID(run_id)) for _, run_id, _, heard_at in found], counts


_OF_RUNS = (
    ("prune_run_log", "agent_run_log"),
    ("prune_runs", "agent_run"),
    ("erase_jobs", "scoring_outbox"),
    ("erase_scores", "run_score"),
)


def _prune_failures(writer: Writer, scope: Scope, pruned: Pruned) -> int:
    """Go once through the old failures of a project that belong to no run; return how many went."""
    after, count = (str(UUID(int=0)), ""), 0
    while rows := _patiently(writer, partial(_prune_failure_batch, writer, scope, after)):
        count += len(rows)
        after = (rows[-1]["run_id"], rows[-1]["event_id"])
    pruned.rows["run_failure"] += count
    return count


def _prune_failure_batch(writer: Writer, scope: Scope, after: tuple[str, str]) -> list[Row]:
    with writer.transaction(alone=True) as connection:
        asked = _asked(scope) | {"after_run": after[0], "after_event": after[1]}
        found = connection.execute(statement("select_prunable_failures"), asked, prepare=False).fetchall()
        rows = [dict(zip(("project_key", "run_id", "event_id"), row, strict=True)) for row in found]
        forget_failures(connection, "prune_failures", rows)
    return rows


def _prune_events(writer: Writer, scope: Scope, pruned: Pruned) -> None:
    for (day,) in _patiently(writer, partial(_ask, writer, "select_event_days", _asked(scope))):
        pruned.rows["run_event"] += _prune_day(writer, scope, day)
        if datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) <= scope.before:
            _drop_day(writer, day, pruned)


def _prune_day(writer: Writer, scope: Scope, day: date) -> int:
    asked = _asked(scope) | {"day": day, "limit": _EVENTS_AT_ONCE, "after_partition": -1, "after_offset": -1}
    pruned = 0
    while gone := _patiently(writer, partial(_ask, writer, "prune_events", asked)):
        ((count, partition, offset),) = gone
        pruned += count
        asked |= {"after_partition": partition, "after_offset": offset}
    return pruned


def _drop_day(writer: Writer, day: date, pruned: Pruned) -> None:
    """Drop the table of a day that holds nothing any more, unless somebody reads for longer than we may wait."""
    try:
        with writer.transaction(alone=False) as connection:
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (_LOCK_WAIT,))
            if connection.execute(statement("drop_day"), {"day": day}).fetchone() == (True,):
                pruned.days.append(day)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        pruned.days_left.append(day)
