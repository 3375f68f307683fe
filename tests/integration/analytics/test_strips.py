"""Strips of outcomes, and the names of projects, from real tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runledger.analytics.database import Database
from runledger.analytics.errors import UnknownProjectError
from runledger.analytics.projects import list_projects, require_project
from runledger.analytics.strips import ask_strips
from tests.integration.analytics.tables import Tables, ago, explained

pytestmark = pytest.mark.integration


async def test_a_strip_is_the_last_32_outcomes_the_oldest_first(uri: str, tables: Tables) -> None:
    began = ago(tables, days=1)
    for number in range(40):
        status = "failed" if number % 2 else "success"
        tables.logged("acme", "sage", began + timedelta(minutes=number), status=status, silent=number == 39)
    tables.logged("acme", "nova", began, status="partial")
    tables.logged("other", "sage", began, status="success")
    tables.logged("acme", "unasked", began)
    async with Database(uri) as database:
        strips = await ask_strips(database, [("acme", "sage"), ("acme", "nova"), ("acme", "nobody")])
    assert set(strips) == {("acme", "sage"), ("acme", "nova")}
    sage = strips["acme", "sage"]
    assert [one.ended_at for one in sage] == [began + timedelta(minutes=number) for number in range(8, 40)]
    assert [one.status for one in sage[-2:]] == ["success", "failed"]
    assert [one.silent for one in sage[-2:]] == [False, True]
    assert [one.status for one in strips["acme", "nova"]] == ["partial"]


async def test_strips_read_no_more_than_32_rows_of_an_agent(uri: str, tables: Tables) -> None:
    began = ago(tables, days=1)
    for number in range(300):
        tables.logged("acme", "sage", began + timedelta(minutes=number))
    tables.connection.execute("ANALYZE agent_run_log")
    nodes = await explained(uri, "select_strips", {"project_keys": ["acme"], "agent_ids": ["sage"]})
    assert max(node["Actual Rows"] for node in nodes) <= 32


async def test_projects_are_named_and_missing_ones_refused(uri: str, tables: Tables) -> None:
    tables.project("zeta")
    tables.project("acme")
    async with Database(uri) as database:
        assert [name for name in await list_projects(database) if name != "default"] == ["acme", "zeta"]
        await require_project(database, "acme")
        with pytest.raises(UnknownProjectError, match="there is no project typo"):
            await require_project(database, "typo")
