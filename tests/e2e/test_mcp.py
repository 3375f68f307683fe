"""Agents tell their runs over MCP, by the official client; what stands in the tables is that and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from mcp import Client
from psycopg.rows import dict_row

from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from tests.e2e.pipeline import pipeline, wait_for
from tests.integration.producers.mcp_server.serving import (
    answer,
    make_key,
    over_http,
    refusal,
    served,
    stdio_server,
)

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TOLD = "Error: connect ETIMEDOUT 10.0.0.5:5432 password=hunter22"
KEPT = "Error: connect ETIMEDOUT 10.0.0.5:5432 password=[masked:password]"
ALIKE = "Error: connect ETIMEDOUT 10.7.7.7:5432 password=correct-horse-9"


@pytest.fixture
def settings(topics: ConnectionSettings, database: str) -> ConnectionSettings:
    """Topics and migrated tables of the test's own."""
    migrate(database)
    return topics.model_copy(update={"postgres": database})


@asynccontextmanager
async def _connected(way: str, settings: ConnectionSettings, url: str, key: str) -> AsyncIterator[Client]:
    if way == "stdio":
        async with Client(stdio_server(settings, RUNLEDGER_API_KEY=key)) as client:
            yield client
    else:
        async with over_http(url, key, way) as client:
            yield client


async def _tell(client: Client, project: str, agent: UUID, task: UUID) -> tuple[str, str, str]:
    """Tell of a run that fails and of one that resolves it, each call twice; and record one more."""

    async def call(tool: str, **arguments: Any) -> str:  # noqa: ANN401  # JSON
        first = await answer(client, tool, **arguments, event_id=str(uuid4()))
        assert await answer(client, tool, **arguments, event_id=first["event_id"]) == first
        return str(first["run_id"])

    run = await call(
        "core_start_run", project_key=project, agent_id=str(agent), summary="Deploy", meta_json={"branch": "main"}
    )
    usage = {"input_tokens": 8400, "output_tokens": 1200, "cost_usd": 0.028, "model": "claude-opus-4", "llm_calls": 3}
    await call("core_report_usage", run_id=run, token_usage=usage, traces=[{"step": 1}])
    await call("core_report_usage", run_id=run, token_usage={"input_tokens": 100, "llm_calls": 1})
    failure = {"project_key": project, "run_id": run, "agent_id": str(agent), "task_id": str(task)}
    await call("core_record_failure", **failure, summary="No database", error=TOLD, context={"attempt": 2})
    await call("core_end_run", run_id=run, status="failed", summary="Gave up", meta_json={"files": 3})
    fixer = await call("core_start_run", project_key=project, agent_id=str(uuid4()), task_id=str(task))
    await call("core_heartbeat", run_id=fixer)
    final = {"input_tokens": 12400, "output_tokens": 3200, "cost_usd": 0.042, "llm_calls": 7}
    await call("core_end_run", run_id=fixer, status="completed", summary="Raised the pool", token_usage=final)
    recorded = await call("record_run", project_key=project, agent="claude-opus", ticket="OPR-429", summary="Isolated.")
    return run, fixer, recorded


def _check_tables(settings: ConnectionSettings, project: str, agent: UUID, runs: tuple[str, str, str]) -> None:
    run, fixer, recorded = (UUID(one) for one in runs)
    with (
        psycopg.connect(settings.postgres, autocommit=True) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        wait_for("the runs in the log, scored", lambda: _logged(connection, project) == 3, 60)
        rows = cursor.execute("SELECT * FROM agent_run WHERE project_key = %s", (project,)).fetchall()
        logs = cursor.execute("SELECT * FROM agent_run_log WHERE project_key = %s", (project,)).fetchall()
        (failure,) = cursor.execute("SELECT * FROM run_failure WHERE project_key = %s", (project,)).fetchall()
    told = {row["run_id"]: row for row in rows}
    assert told.keys() == {run, fixer, recorded}
    used = ("status", "agent_id", "input_tokens", "output_tokens", "total_tokens", "cost_usd", "llm_calls", "traces")
    assert [told[run][name] for name in used] == ["failed", str(agent), 8500, 1200, 9700, Decimal("0.028"), 4, 1]
    assert [told[run][name] for name in ("summary", "events", "failures", "models")] == [
        *("Deploy", 5, 1),
        ["claude-opus-4"],
    ]
    assert [told[fixer][name] for name in used[2:]] == [12400, 3200, 15600, Decimal("0.042"), 7, 0]
    assert (told[fixer]["status"], told[fixer]["events"]) == ("completed", 3)
    assert [told[recorded][name] for name in (*used[:5], "kind")] == ["completed", "claude-opus", *[None] * 3, "record"]
    logged = {row["run_id"]: (row["status"], row["actions_taken"]) for row in logs}
    assert logged == {
        run: ("failed", {"summary": "Gave up", "files": 3}),
        fixer: ("success", {"summary": "Raised the pool"}),
        recorded: ("success", {"summary": "Isolated.", "ticket": "OPR-429"}),
    }
    assert (failure["run_id"], failure["agent_id"], failure["summary"]) == (run, str(agent), "No database")
    assert (failure["error"], failure["context"], failure["detached"]) == (KEPT, {"attempt": 2}, False)


async def _check_answers(client: Client, agent: UUID, runs: tuple[str, str, str]) -> None:
    run, fixer, _ = runs
    read = await answer(client, "get_run", run_id=run)
    assert (read["status"], read["total_tokens"], read["cost_usd"], read["failure_count"]) == (
        "failed",
        9700,
        "0.028",
        1,
    )
    assert (read["untrusted"]["summary"], read["untrusted"]["agent_id"]) == ("Deploy", str(agent))
    assert [one["untrusted"]["error"] for one in read["failures"]] == [KEPT]
    found = await answer(client, "recent_failures", error=ALIKE)
    (group,) = found["groups"]
    assert group["fingerprint"] == found["fingerprint"] == read["failures"][0]["fingerprint"]
    assert (group["failure_count"], group["resolved_before"], group["seen_since_resolved"]) == (1, True, False)
    assert (group["resolved_by_run_id"], group["untrusted"]["resolved_by_summary"]) == (fixer, "Raised the pool")
    assert (await answer(client, "recent_failures", error="another error"))["groups"] == []
    assert (await answer(client, "recent_failures"))["groups"] == [group]
    assert (await answer(client, "recent_failures", fingerprint=group["fingerprint"]))["groups"] == [group]
    assert "not both" in await refusal(client, "recent_failures", error="x", fingerprint=group["fingerprint"])
    costs = await answer(client, "run_costs", group_by="agent")
    assert (costs["total"]["runs"], costs["total"]["runs_with_cost"], costs["total"]["cost_usd"]) == (3, 2, "0.07")
    assert [one["cost_usd"] for one in costs["groups"]] == ["0.042", "0.028", None]


async def test_runs_told_over_every_transport_stand_in_the_tables_once(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    with pipeline(settings, tmp_path), served(settings, tmp_path) as server:
        for way in ("stdio", "auto", "legacy"):
            project, agent, task = f"acme-{way}", uuid4(), uuid4()
            key = make_key(settings, project)
            async with _connected(way, settings, server.url, key) as client:
                runs = await _tell(client, project, agent, task)
                _check_tables(settings, project, agent, runs)
                await _check_answers(client, agent, runs)
        with psycopg.connect(settings.postgres, autocommit=True) as connection:
            wait_for("a clean recount", lambda: verify(connection).clean, 30)


def _logged(connection: psycopg.Connection, project: str) -> int:
    query = "SELECT count(*) FROM agent_run_log WHERE project_key = %s AND rlhf_scores IS NOT NULL"
    row = connection.execute(query, (project,)).fetchone()
    return 0 if row is None else int(row[0])


async def test_another_projects_run_is_not_found_and_writing_to_it_makes_a_run_of_ones_own(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    mine, theirs = make_key(settings, "mine"), make_key(settings, "theirs")
    with (
        pipeline(settings, tmp_path, ("processor", "sink")),
        served(settings, tmp_path) as server,
        psycopg.connect(settings.postgres, autocommit=True) as connection,
    ):
        async with over_http(server.url, theirs) as client:
            started = await answer(
                client, "core_start_run", project_key="theirs", agent_id=str(uuid4()), summary="ours"
            )
            run = started["run_id"]
            await answer(client, "core_report_usage", run_id=run, token_usage={"input_tokens": 5})
            wait_for("their run", lambda: _row(connection, "theirs", run)[1:] == (5, "running"), 120)
        before = _row(connection, "theirs", run)
        async with over_http(server.url, mine) as client:
            missing = await refusal(client, "get_run", run_id=str(uuid4()))
            assert (await refusal(client, "get_run", run_id=run)).partition(":")[0] == missing.partition(":")[0]
            await answer(client, "core_report_usage", run_id=run, token_usage={"input_tokens": 70})
            await answer(client, "core_end_run", run_id=run, status="completed", event_id=started["event_id"])
            wait_for("a run of my own", lambda: _row(connection, "mine", run)[1:] == (70, "completed"), 120)
            read = await answer(client, "get_run", run_id=run)
            assert (read["input_tokens"], read["untrusted"]["summary"]) == (70, None)
        assert _row(connection, "theirs", run) == before


def _row(connection: psycopg.Connection, project: str, run: str) -> tuple[object, ...]:
    query = "SELECT agent_run::text, input_tokens, status FROM agent_run WHERE project_key = %s AND run_id = %s"
    return connection.execute(query, (project, run)).fetchone() or ()
