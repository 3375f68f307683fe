"""Lists walked page by page: each row once, in order, ties and unknowns included."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any, TypeVar
from uuid import UUID

import pytest

from runledger.analytics.database import Connection, Database
from runledger.analytics.incident_list import IncidentFilter, IncidentList
from runledger.analytics.paging import Page
from runledger.analytics.reader import LedgerReader
from runledger.analytics.run_list import RunFilter, RunList, RunSort, page_query
from runledger.analytics.run_story import RunStory
from tests.integration.analytics.tables import Tables

pytestmark = pytest.mark.integration

SORTS: tuple[RunSort, ...] = ("-heard_at", "heard_at", "-cost_usd", "cost_usd")
_RowT = TypeVar("_RowT")


async def walk(read: Callable[[str | None], Awaitable[Page[_RowT]]]) -> list[_RowT]:
    """Read all pages."""
    page = await read(None)
    rows = page.rows
    while page.next_cursor is not None:
        page = await read(page.next_cursor)
        rows += page.rows
    return rows


async def test_incidents_of_one_moment_are_each_listed_once(tables: Tables, uri: str) -> None:
    told = {tables.incident("acme", agent) for agent in "abcde"}
    tables.incident("other", "a")
    tables.connection.execute("UPDATE incident SET opened_at = '2026-01-01T00:00Z' WHERE agent_id IN ('b', 'c', 'd')")
    async with Database(uri) as database:
        for limit in (1, 2, 100):
            rows = await walk(partial(IncidentList(database).page, "acme", IncidentFilter(), limit))
            assert [row.opened_at for row in rows] == sorted((row.opened_at for row in rows), reverse=True)
            assert {row.incident_id for row in rows} == told
            assert len(rows) == len(told)


async def test_kinds_of_failures_of_one_moment_are_each_listed_once(tables: Tables, uri: str) -> None:
    tables.connection.execute(
        "INSERT INTO failure_group"
        " SELECT project, lpad(n::text, 64, '0'), 's', now(), '2026-01-01'::date + n / 3, 1"
        " FROM generate_series(1, 8) AS n, (VALUES ('acme'), ('other')) AS p (project)"
    )
    tables.connection.execute(
        "INSERT INTO run_failure SELECT project_key, gen_random_uuid(), 'e', 'a', NULL, fingerprint, 's', NULL, '{}',"
        " '{}', true, last_seen_at, last_seen_at, 0, 0 FROM failure_group"
    )
    async with Database(uri) as database:
        for limit in (1, 2, 100):
            rows = await walk(partial(LedgerReader(database).failure_page, "acme", None, limit))
            assert [int(row.fingerprint) for row in rows] == [6, 7, 8, 3, 4, 5, 1, 2]


async def test_runs_with_the_same_key_or_none_are_each_listed_once(tables: Tables, uri: str) -> None:
    now = tables.now()
    for number in range(9):
        tables.heard("acme", "sage", now - timedelta(seconds=number // 3))
        tables.heard("other", "sage", now)
    tables.connection.execute("UPDATE agent_run SET cost_usd = 0.1 WHERE heard_at = %s", [now])
    tables.connection.execute("UPDATE agent_run SET cost_usd = 0 WHERE heard_at = %s", [now - timedelta(seconds=1)])
    async with Database(uri) as database:
        for sort, limit in product(SORTS, (1, 2, 3, 100)):
            rows = await walk(partial(RunList(database).page, "acme", RunFilter(), sort, limit))
            assert len({row.run_id for row in rows}) == len(rows) == 9
            keys: list[Any] = [getattr(row, sort.removeprefix("-")) for row in rows]
            known = [key for key in keys if key is not None]
            assert known == sorted(known, reverse=sort.startswith("-"))
            assert keys[len(known) :] == [None] * (3 if "cost" in sort else 0)


async def test_a_page_goes_on_where_the_one_before_ended_whatever_came_meanwhile(tables: Tables, uri: str) -> None:
    now = tables.now()
    for number in range(4):
        tables.heard("acme", "sage", now - timedelta(minutes=number))
    async with Database(uri) as database:
        runs = RunList(database)
        first = await runs.page("acme", RunFilter(), "-heard_at", 2)
        tables.heard("acme", "sage", now + timedelta(minutes=1))
        second = await runs.page("acme", RunFilter(), "-heard_at", 2, first.next_cursor)
    heard_at = [row.heard_at for row in first.rows + second.rows]
    assert heard_at == [now - timedelta(minutes=number) for number in range(4)]
    assert second.next_cursor is None


async def test_a_page_of_runs_is_read_from_an_index(tables: Tables, uri: str) -> None:
    """What it costs does not grow with the ledger: of all runs, of one agent, of those running."""
    tables.heard("acme", "sage", tables.now())
    tables.connection.execute(
        "INSERT INTO agent_run SELECT (jsonb_populate_record(r, jsonb_build_object("
        " 'run_id', gen_random_uuid(), 'row_id', gen_random_uuid(), 'agent_id', 'a' || n % 50,"
        " 'heard_at', now() - make_interval(secs => n),"
        " 'status', CASE WHEN n % 100 = 0 THEN 'running' ELSE 'failed' END"
        "))).* FROM agent_run AS r, generate_series(1, 20000) AS n"
    )
    tables.connection.execute("ANALYZE agent_run")
    statement = b"EXPLAIN (ANALYZE, FORMAT JSON) " + page_query("-heard_at", "start")
    async with Database(uri) as database:
        for wanted in (RunFilter(), RunFilter(agent_id="a7"), RunFilter(status="running")):
            asked = {**asdict(wanted), "project_key": "acme", "limit": 51}
            plan = await database.answer(partial(explained, statement=statement, asked=asked))
            assert 51 <= rows_read(plan) < 500


async def explained(connection: Connection, statement: bytes, asked: dict[str, Any]) -> dict[str, Any]:
    row = await (await connection.execute(statement, asked)).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def rows_read(node: dict[str, Any]) -> float:
    """Count the rows that the scans of a plan looked at."""
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if "Relation Name" in node else 0
    return float(own * node["Actual Loops"] + sum(rows_read(below) for below in node.get("Plans", ())))


async def test_a_run_of_another_project_has_no_story(tables: Tables, uri: str) -> None:
    tables.heard("other", "sage", tables.now())
    found = tables.connection.execute("SELECT run_id FROM agent_run").fetchone()
    assert found is not None
    run_id: UUID = found[0]
    async with Database(uri) as database:
        story = RunStory(database)
        assert await story.events("acme", run_id) is None
        assert await story.traces("acme", run_id) is None
        assert await story.events("other", run_id) == Page([], None)
