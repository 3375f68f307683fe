"""The auditor on real tables: whom it finds, whom it must not, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from runledger.analytics.auditor import Audit, Auditor, RecentRun
from runledger.analytics.database import Database
from runledger.analytics.errors import UnknownProjectError
from runledger.analytics.pipeline import Pipeline, ask_pipeline
from tests.integration.analytics.tables import Tables, ago, explained

pytestmark = pytest.mark.integration

HOUR = 3600


async def _audit(uri: str, project_key: str | None = "acme") -> Audit:
    async with Database(uri) as database:
        return await Auditor(database).audit(project_key)


async def _recent(uri: str, *asked: Any, **named: Any) -> Sequence[RecentRun]:  # noqa: ANN401  # as recent_runs takes
    async with Database(uri) as database:
        return await Auditor(database).recent_runs(*asked, **named)


async def _pipeline(uri: str) -> Pipeline:
    async with Database(uri) as database:
        return await ask_pipeline(database)


def _states(audit: Audit) -> dict[str, str]:
    return {agent.agent_id: agent.state for agent in audit.agents}


def _fill(tables: Tables) -> None:
    """Make one agent of each kind, every one of them expected every hour."""
    now = tables.now()
    tables.project("acme", expected_interval_seconds=HOUR)
    for name in ("stopped", "failing", "silent", "healthy", "never"):
        tables.agent("acme", name, created_at=now - timedelta(days=3))
    for name in ("failing", "silent", "healthy"):
        tables.heard("acme", name, now - timedelta(days=2))
        tables.heard("acme", name, now - timedelta(minutes=5))
    tables.heard("acme", "stopped", now - timedelta(hours=5))
    tables.health("acme", "stopped", now - timedelta(hours=5))
    tables.health("acme", "failing", now, failed=3)
    tables.health("acme", "silent", now, silent=3)
    tables.health("acme", "healthy", now, silent=2, failed=2)


async def test_each_is_found_and_none_falsely(uri: str, tables: Tables) -> None:
    _fill(tables)
    tables.listened(ago(tables, days=10), ago(tables, seconds=1))
    incident = tables.incident("acme", "failing")
    tables.incident("acme", "failing", "recovered")
    audit = await _audit(uri)
    assert audit.judged
    assert _states(audit) == {
        "failing": "failing",
        "healthy": "healthy",
        "never": "never_reported",
        "silent": "silent",
        "stopped": "quiet",
    }
    assert {agent.agent_id: agent.findings for agent in audit.found} == {
        "failing": ("failing",),
        "never": ("never_reported",),
        "silent": ("silent",),
        "stopped": ("quiet",),
    }
    by_name = {agent.agent_id: agent for agent in audit.agents}
    assert by_name["stopped"].unheard_seconds == pytest.approx(5 * HOUR, abs=30)
    assert by_name["healthy"].unheard_seconds == pytest.approx(300, abs=30)
    assert [one.incident_id for one in by_name["failing"].open_incidents] == [incident]
    assert by_name["healthy"].open_incidents == ()


@pytest.mark.parametrize("lag_seconds", [None, 31, 4 * HOUR], ids=["no-watermark", "behind", "far-behind"])
async def test_while_the_pipeline_is_behind_nobody_is_called_quiet(
    uri: str, tables: Tables, lag_seconds: int | None
) -> None:
    _fill(tables)
    if lag_seconds is not None:
        tables.listened(ago(tables, days=10), ago(tables, seconds=lag_seconds))
    audit = await _audit(uri)
    assert not audit.judged
    assert audit.pipeline.state == ("unknown" if lag_seconds is None else "behind")
    assert {agent.agent_id: agent.findings for agent in audit.found} == {
        "failing": ("failing",),
        "silent": ("silent",),
    }
    assert {agent.unheard_seconds for agent in audit.agents} == {None}


async def test_after_an_outage_of_ours_agents_have_their_interval_again(uri: str, tables: Tables) -> None:
    _fill(tables)
    tables.listened(ago(tables, days=10), ago(tables, hours=4.5))
    tables.listened(ago(tables, minutes=10), ago(tables, seconds=0))
    assert _states(await _audit(uri))["stopped"] == "healthy"


async def test_an_agents_own_settings_go_before_its_projects(uri: str, tables: Tables) -> None:
    _fill(tables)
    tables.listened(ago(tables, days=10), tables.now())
    tables.agent("acme", "stopped", expected_interval_seconds=10 * HOUR)
    tables.agent("acme", "failing", failure_threshold=4)
    tables.agent("acme", "never", retired=True)
    tables.project("acme", silence_threshold=2)
    assert _states(await _audit(uri)) == {
        "failing": "healthy",
        "healthy": "silent",
        "never": "retired",
        "silent": "silent",
        "stopped": "healthy",
    }


async def test_an_agent_whose_runs_were_erased_was_seen_at_its_last_end(uri: str, tables: Tables) -> None:
    tables.agent("acme", "sage")
    tables.health("acme", "sage", ago(tables, hours=2))
    tables.listened(ago(tables, days=10), tables.now())
    (agent,) = (await _audit(uri)).agents
    assert (agent.state, agent.finished_runs) == ("healthy", 7)
    assert agent.last_seen_at is not None


async def test_a_project_sees_only_its_own_agents(uri: str, tables: Tables) -> None:
    tables.agent("acme", "sage")
    tables.agent("other", "sage")
    tables.heard("other", "sage", tables.now())
    tables.incident("other", "sage")
    (mine,) = (await _audit(uri, "acme")).agents
    assert (mine.project_key, mine.last_seen_at, mine.open_incidents) == ("acme", None, ())
    every = await _audit(uri, None)
    assert [(agent.project_key, agent.agent_id) for agent in every.agents] == [("acme", "sage"), ("other", "sage")]
    async with Database(uri) as database:
        assert await Auditor(database).audit_agent("acme", "sage") == mine
        assert await Auditor(database).audit_agent("acme", "nova") is None


async def test_a_project_that_is_none_is_said_so(uri: str) -> None:
    with pytest.raises(UnknownProjectError, match="no project typo"):
        await _audit(uri, "typo")


async def test_the_pipeline_tells_how_far_it_is(uri: str, tables: Tables) -> None:
    assert (await _pipeline(uri)).state == "unknown"
    tables.listened(ago(tables, hours=2), ago(tables, hours=1))
    pipeline = await _pipeline(uri)
    assert pipeline.state == "behind"
    assert pipeline.lag_seconds == pytest.approx(HOUR, abs=30)


async def test_recent_runs_are_newest_first_by_their_insertion(uri: str, tables: Tables) -> None:
    now = tables.now()
    first = tables.logged("acme", "sage", now - timedelta(hours=3), ended_at=now, silent=True, actions_taken={})
    second = tables.logged("acme", "nova", now - timedelta(hours=2), status="failed", failures=1)
    third = tables.logged("acme", "sage", now - timedelta(hours=1), ended_at=now - timedelta(days=9), score=0.5)
    tables.logged("other", "sage", now)
    runs = await _recent(uri, "acme")
    assert [run.id for run in runs] == [third, second, first]
    assert (runs[0].score, runs[0].rlhf_scores, runs[0].actions_taken) == (0.5, {"overall": 0.5}, {"summary": "did it"})
    assert (runs[1].status, runs[1].consecutive_failure_count, runs[1].score) == ("failed", 1, None)
    assert (runs[2].silent, runs[2].consecutive_silence_count, runs[2].actions_taken) == (True, 1, {})
    assert [run.id for run in await _recent(uri, "acme", "sage")] == [third, first]
    assert [run.id for run in await _recent(uri, "acme", since=now - timedelta(hours=2))] == [third, second]
    assert [run.id for run in await _recent(uri, "acme", limit=1)] == [third]


async def test_recent_runs_show_how_much_a_large_row_holds_instead_of_it(uri: str, tables: Tables) -> None:
    tables.logged("acme", "sage", tables.now(), actions_taken={"text": "x" * 40_000})
    (run,) = await _recent(uri, "acme")
    assert run.actions_taken is None
    assert run.actions_taken_bytes is not None
    assert run.actions_taken_bytes > 40_000


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_recent_runs_are_bounded(limit: int) -> None:
    async with Database("postgresql://postgres@127.0.0.1:1/none") as database:
        with pytest.raises(ValueError, match="limit"):
            await Auditor(database).recent_runs("acme", limit=limit)


async def test_hostile_names_find_nothing(uri: str, tables: Tables) -> None:
    tables.logged("acme", "sage", tables.now())
    for hostile in ("' OR '1'='1", "acme'; DROP TABLE agent; --", "%"):
        assert await _recent(uri, hostile) == []
        assert await _recent(uri, "acme", hostile) == []


@pytest.mark.slow
async def test_each_agent_costs_one_probe_of_an_index(uri: str, tables: Tables) -> None:
    """100,000 runs of 50 agents: no plan reads agent_run but by the index of agents."""
    tables.project("acme")
    tables.connection.execute("INSERT INTO agent SELECT 'acme', 'a' || n FROM generate_series(0, 49) AS n")
    base: datetime = ago(tables, days=10)
    tables.heard("acme", "a0", base)
    columns = ", ".join(
        f"{column}"
        for (column,) in tables.connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'agent_run'"
            " AND column_name NOT IN ('run_id', 'row_id', 'agent_id', 'heard_at') ORDER BY ordinal_position"
        )
    )
    many = (
        f"INSERT INTO agent_run (run_id, row_id, agent_id, heard_at, {columns})"  # noqa: S608  # the table's own names
        f" SELECT gen_random_uuid(), gen_random_uuid(), 'a' || n %% 50, heard_at + n * interval '1 second', {columns}"
        f" FROM agent_run, generate_series(1, %s) AS n"
    )
    tables.connection.execute(many.encode(), [100_000])
    tables.connection.execute("ANALYZE")
    nodes = await explained(uri, "select_audited_agents", {"project_key": "acme", "agent_id": None, "limit": 10_001})
    reads = [node for node in nodes if node.get("Relation Name") == "agent_run"]
    assert {node["Index Name"] for node in reads} == {"agent_run_agent"}
    assert sum(node["Actual Loops"] * node["Actual Rows"] for node in reads) <= 50
