"""Failures, what resolves them, and the state of their groups: the last part of a batch's transaction.

A group's state is a function of rows alone (docs/adr/0007), so whatever changes those rows settles the groups again,
and the order of batches does not matter. The steps, each from the rows the one before left:

failures and resolutions → which runs completed which tasks → what resolves a kind on a task → what resolves the group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import psycopg

from runledger.sinks.batch import Batch
from runledger.sinks.rows import Row, Run, as_json, named
from runledger.sinks.statements import statement


def write_failures(connection: psycopg.Connection, batch: Batch) -> None:
    """Write a batch's failures and resolutions, erase what it erases, and settle every group that this may change.

    Args:
        connection: within the batch's transaction, which has written its runs and commits next: from here on other
            sinks with failures wait.
        batch: what to write.
    """
    ended = [run for run in batch.runs.values() if run.snapshot.status != "running"]
    told = batch.failures or batch.resolutions or batch.erasures
    if not told and not ended:
        return
    runs = _concerned(connection, ended, alone=bool(told))
    if not told and not runs:
        return
    failures = batch.failures.values()
    _run(connection, "insert_failures", failures)
    _run(connection, "insert_resolutions", batch.resolutions.values())
    told_of = _run(connection, "upsert_failure_tasks", failures, "project_key", "run_id", "event_id")
    tasks = [_task(row) for row in told_of]
    groups = [*failures, *batch.resolutions.values()]
    if batch.erasures:
        erased_tasks, erased_groups = _erase(connection, batch.erasures)
        tasks += erased_tasks
        groups += erased_groups
    touched = [*runs, *failures, *batch.erasures]
    completions = _run(connection, "refresh_completions", touched, "project_key", "run_id")
    groups += _settle_tasks(connection, tasks, completions)
    _run(connection, "settle_failure_groups", groups, "project_key", "fingerprint")


def forget_failures(connection: psycopg.Connection, name: str, rows: Collection[Row]) -> int:
    """Delete failures, and settle every group that this may change; return how many went.

    Args:
        connection: within a transaction, in which runs may have gone as well.
        name: statement that deletes failures.
        rows: what it takes, project_key and run_id among it.
    """
    if not rows:
        return 0
    connection.execute(statement("lock_failure_groups"), {"alone": True})
    gone = _run(connection, name, rows)
    tasks, groups = _reduce(connection, gone)
    completions = _run(connection, "refresh_completions", rows, "project_key", "run_id")
    groups += _settle_tasks(connection, tasks, completions)
    _run(connection, "settle_failure_groups", groups, "project_key", "fingerprint")
    return len(gone)


def _concerned(connection: psycopg.Connection, ended: Sequence[Run], *, alone: bool) -> list[Row]:
    """Take the lock, and find the ended runs that may have completed a task: most never heard of one."""
    told = [run.snapshot for run in ended]
    tasked: list[Row] = [
        {"project_key": run.project_key, "run_id": run.run_id}
        for run in told
        if run.task_id is not None or run.failures
    ]
    others = [run for run in told if run.task_id is None and not run.failures]
    alone = alone or bool(tasked)
    connection.execute(statement("lock_failure_groups"), {"alone": alone})
    if not others:
        return tasked
    found = connection.execute(statement("select_concerned_runs"), named(others), prepare=False).fetchall()
    if found and not alone:
        connection.execute(statement("lock_failure_groups"), {"alone": True})
    return [*tasked, *({"project_key": project_key, "run_id": run_id} for project_key, run_id in found)]


def _erase(connection: psycopg.Connection, erasures: Collection[Row]) -> tuple[list[Row], list[Row]]:
    """Erase what runs told; return the tasks and the groups that lost something."""
    tasks, groups = _reduce(connection, _run(connection, "erase_failures", erasures))
    return tasks, [*groups, *(_group(row) for row in _run(connection, "erase_resolutions", erasures))]


def _reduce(connection: psycopg.Connection, gone: Sequence[tuple[Any, ...]]) -> tuple[list[Row], list[Row]]:
    """Count groups and tasks anew without failures that are gone; return the tasks and the groups."""
    groups = [_group(row) for row in gone]
    tasks = [_task(row) for row in gone if row[2] is not None]
    _run(connection, "reduce_failure_groups", groups)
    _run(connection, "reduce_failure_tasks", tasks)
    return tasks, groups


def _settle_tasks(
    connection: psycopg.Connection, tasks: Sequence[Row], completions: Sequence[tuple[Any, ...]]
) -> list[Row]:
    """Choose anew by which runs kinds of failures are resolved on tasks; return the groups this changes."""
    if not tasks and not completions:
        return []
    names = ("project_key", "task_id", "run_id", "ended_at", "was_at")
    changed = [dict(zip(names, completion, strict=True)) for completion in completions]
    asked = {"tasks": as_json(tasks), "completions": as_json(changed)}
    settled = connection.execute(statement("settle_failure_tasks"), asked, prepare=False).fetchall()
    return [_group(row) for row in (*settled, *((task["project_key"], task["fingerprint"]) for task in tasks))]


def _task(row: Sequence[Any]) -> Row:
    return {"project_key": row[0], "fingerprint": row[1], "task_id": row[2]}


def _group(row: Sequence[Any]) -> Row:
    return {"project_key": row[0], "fingerprint": row[1]}


def _run(connection: psycopg.Connection, name: str, rows: Iterable[Row], *columns: str) -> list[tuple[Any, ...]]:
    """Run a statement over rows, all at once; return what it returns.

    Its plan is made anew each time: one kept from when the tables were small would read the whole of large ones.
    """
    rows = [{column: row[column] for column in columns} for row in rows] if columns else list(rows)
    if not rows:
        return []
    cursor = connection.execute(statement(name), {"rows": as_json(rows)}, prepare=False)
    return cursor.fetchall() if cursor.description else []
