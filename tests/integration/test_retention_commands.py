"""`runledger prune` and `runledger erase` through the running pipeline; docs/retention.md is true."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest

from runledger.access.projects import create_key, create_project
from runledger.producers.client import RunClient
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from tests import documents
from tests.e2e.pipeline import Pipeline, pipeline, wait_for

pytestmark = pytest.mark.integration

RUN = UUID("0197c4de-0000-7000-8000-00000000c0de")
"""The run of the page's examples."""
SECONDS = 60


class Site:
    """Processor and sink on topics and tables of a test's own, and the command line beside them."""

    def __init__(self, running: Pipeline, connection: psycopg.Connection) -> None:
        self.running = running
        self.connection = connection

    def command(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "runledger", *words],
            env=self.running.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def tell(self, project: str, agent: str, runs: int, *, first: UUID | None = None) -> None:
        """Tell finished runs, each with a failure, and wait until they stand in the tables."""
        settings = self.running.settings
        counted = f"SELECT count(*)::int FROM agent_run_log WHERE agent_id = '{agent}' AND project_key = '{project}'"  # noqa: S608  # ours
        ((before,),) = self.rows(counted)
        with RunClient(kafka=settings.kafka, topic_prefix=settings.topic_prefix, strict=True) as client:
            for number in range(runs):
                run = client.start_run(project, agent, run_id=first if number == 0 else None)
                run.failure("no disk", error=f"disk full on {agent}")
                run.end("failed", summary="gave up")
            client.record_failure(project, "outside of any run", agent=agent, error=f"nothing found by {agent}")
        wait_for("the runs", lambda: self.rows(counted) == [(before + runs,)], SECONDS)
        wait_for("the recount", lambda: verify(self.connection).clean, SECONDS)


@pytest.fixture
def site(topics: ConnectionSettings, database: str, tmp_path: Path) -> Iterator[Site]:
    """A running pipeline."""
    migrate(database)
    settings = topics.model_copy(update={"postgres": database})
    with (
        pipeline(settings, tmp_path, ("processor", "sink")) as running,
        psycopg.connect(database, autocommit=True) as connection,
    ):
        yield Site(running, connection)


def _commands() -> list[list[str]]:
    lines = [line for text in documents.examples("docs/retention.md", "bash") for line in text.splitlines()]
    lines.append(documents.scheduled(documents.example("docs/retention.md", "cron")))
    return [shlex.split(line)[1:] for line in lines]


@pytest.mark.slow
def test_each_command_of_the_page_runs(site: Site) -> None:
    create_project(site.connection, "old-project", "Old")
    site.tell("default", "sage", 3, first=RUN)
    site.tell("old-project", "rook", 2)
    done = []
    for words in _commands():
        site.command(*words)
        done.append(words[:2])
    assert done.count(["erase", "run"]) == 2
    assert site.rows("SELECT count(*) FROM agent_run") == [(0,)]
    assert site.rows("SELECT count(*) FROM run_event WHERE type <> 'runledger.run.erased.v1'") == [(0,)]
    assert verify(site.connection).differences == ()


@pytest.mark.slow
def test_an_erased_agent_leaves_nothing_and_may_begin_anew(site: Site) -> None:
    site.command("agents", "set", "sage", "--role", "Backend")
    site.tell("default", "sage", 4)
    site.tell("default", "rook", 2)
    assert [kind for (kind,) in site.rows("SELECT DISTINCT kind FROM incident")] == ["failing"]
    report = orjson.loads(site.command("erase", "agent", "sage", "--yes", "--json"))
    assert (report["runs"], report["agents"], report["rows_left"]) == (5, 1, {})
    for table in ("agent", "agent_health", "agent_run", "agent_run_log", "incident", "run_failure", "run_event"):
        found = site.rows(f"SELECT count(*) FROM {table} WHERE agent_id = 'sage'")  # noqa: S608  # names of ours
        assert found == [(0,)], table
    assert site.rows("SELECT agent_id, finished_runs FROM agent_health") == [("rook", 2)]
    until = {one["topic"].split(".")[-1]: one["held_until"] for one in report["topics"]}
    assert set(until) >= {"run-events", "runs", "agents", "run-log", "dead-letters", "settings"}
    week = datetime.now(UTC) + timedelta(days=7)
    assert all(datetime.fromisoformat(moment) > week for moment in until.values())
    assert orjson.loads(site.command("erase", "agent", "sage", "--yes", "--json"))["rows_left"] == {}
    site.tell("default", "sage", 1)
    health = "SELECT finished_runs, consecutive_failure_count FROM agent_health WHERE agent_id = 'sage'"
    wait_for("a new beginning", lambda: site.rows(health) == [(1, 1)], SECONDS)
    assert site.rows("SELECT name, role FROM agent WHERE agent_id = 'sage'") == [(None, None)]


@pytest.mark.slow
def test_an_erased_project_leaves_its_key_and_no_way_in(site: Site) -> None:
    create_project(site.connection, "gone", "Gone for good")
    create_key(site.connection, "gone", ["emit"])
    site.tell("gone", "sage", 3)
    site.tell("default", "sage", 1)
    site.command("prune", "--older-than", "1s", "--project", "gone")
    site.tell("gone", "sage", 2)
    site.command("erase", "project", "gone", "--yes")
    for table in ("agent", "agent_health", "agent_run", "agent_run_log", "run_failure", "failure_group", "run_rollup"):
        found = site.rows(f"SELECT DISTINCT project_key FROM {table}")  # noqa: S608  # names of ours
        assert found == [("default",)], table
    assert site.rows("SELECT name, is_public FROM project WHERE project_key = 'gone'") == [(None, False)]
    assert site.rows("SELECT count(*) FROM api_key WHERE project_key = 'gone' AND revoked_at IS NULL") == [(0,)]
    assert verify(site.connection).differences == ()


@pytest.mark.slow
def test_an_erasure_waits_for_a_pipeline_that_is_down_and_is_finished_by_the_next(site: Site) -> None:
    site.tell("default", "sage", 2)
    processor = site.running.workers[0]
    processor.stop()
    report = orjson.loads(site.command("erase", "agent", "sage", "--yes", "--json", "--wait", "2", code=3))
    assert report["rows_left"]["agent_run"] == 2
    site.running.workers.remove(processor)
    site.running.start("processor")
    assert orjson.loads(site.command("erase", "agent", "sage", "--yes", "--json"))["rows_left"] == {}
    assert site.rows("SELECT count(*) FROM agent_health") == [(0,)]


def test_a_prune_says_what_it_would_delete_and_refuses_what_is_no_age(servers: tuple[str, str], database: str) -> None:
    migrate(database)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
    environment = kept | {"RUNLEDGER_KAFKA": servers[0], "RUNLEDGER_POSTGRES": database}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "runledger", "prune", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = run("--older-than", "90d", "--json")
    document = orjson.loads(done.stdout)
    assert (done.returncode, document["rows"], document["dry_run"]) == (0, {}, False)
    assert datetime.fromisoformat(document["before"]) < datetime.now(UTC) - timedelta(days=89)
    assert "nothing" in run("--older-than", "36h", "--dry-run").stdout
    for wrong in ("90", "0d", "yesterday", "-1d"):
        refused = run("--older-than", wrong)
        assert refused.returncode == 2, wrong
