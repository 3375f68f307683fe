"""docs/backup.md is true: a dump taken while everything goes on comes up to date from the topics, each record once."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from runledger.access.projects import create_key, create_project
from runledger.producers.client import RunClient
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from runledger.stack.postgres import postgres_binaries
from runledger.topic_admin import ensure_topics
from tests import documents
from tests.e2e.pipeline import pipeline, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SECONDS = 90
_TOTALS = """
SELECT project_key, agent_id, status, count(*), sum(total_tokens), sum(cost_usd), sum(failures)
FROM agent_run GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_STREAKS = "SELECT run_id, status, consecutive_silence_count, consecutive_failure_count FROM agent_run_log ORDER BY 1"
_RUNS = "SELECT count(*)::int FROM agent_run_log"


class Databases:
    """Databases beside the test's own, on its server, by the names the page gives them."""

    def __init__(self, uri: str) -> None:
        self._parts = psycopg.conninfo.conninfo_to_dict(uri)
        self.names = [f"test_{uuid.uuid4().hex[:8]}" for _ in range(2)]
        self.uris = [psycopg.conninfo.make_conninfo(**self._parts | {"dbname": name}) for name in self.names]  # type: ignore[arg-type]  # every part is text

    def environment(self) -> dict[str, str]:
        """What Postgres's own tools find the server by."""
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
        found = {variable: str(self._parts[name]) for name, variable in names.items() if self._parts.get(name)}
        return found | {"PATH": f"{postgres_binaries()}:{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture
def databases(database: str) -> Iterator[Databases]:
    """Two more databases, which the page's commands make."""
    made = Databases(database)
    yield made
    with psycopg.connect(database, autocommit=True) as connection:
        for name in made.names:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _shell(script: str, environment: dict[str, str], folder: Path) -> None:
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


def _tell(settings: ConnectionSettings, runs: int) -> None:
    with RunClient(kafka=settings.kafka, topic_prefix=settings.topic_prefix, strict=True) as client:
        for number in range(runs):
            run = client.start_run("default", f"agent-{number % 3}")
            run.usage(input_tokens=10 + number, output_tokens=number, cost_usd="0.01")
            if number % 5 == 0:
                run.failure("no disk", error="disk full")
            run.end("failed" if number % 5 == 0 else "completed", summary="done")


def _rows(uri: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def _is_clean(uri: str) -> bool:
    with psycopg.connect(uri, autocommit=True) as connection:
        return verify(connection).clean


def test_a_dump_taken_in_the_middle_comes_up_to_date(
    topics: ConnectionSettings, database: str, databases: Databases, tmp_path: Path
) -> None:
    migrate(database)
    dump = documents.example("docs/backup.md", "bash", "--file=ledger.dump")
    restore = documents.example("docs/backup.md", "bash", "pg_restore")
    check = documents.example("docs/backup.md", "bash", "runledger verify")
    settings = topics.model_copy(update={"postgres": database})
    with pipeline(settings, tmp_path, ("processor", "sink")) as running:
        environment = running.environment | databases.environment()
        environment |= {"RESTORED": databases.uris[0], "RESTORED_NAME": databases.names[0]}
        _tell(settings, 100)
        wait_for("some runs", lambda: _rows(database, _RUNS)[0][0] > 30, SECONDS)
        _tell(settings, 100)
        _shell(dump, environment, tmp_path)
        _tell(settings, 100)
        wait_for("all runs", lambda: _rows(database, _RUNS) == [(300,)], SECONDS)
        _shell(restore, environment, tmp_path)
        assert _rows(databases.uris[0], _RUNS)[0][0] < 300
        running.workers.pop().stop()
        running.start("sink", {"RUNLEDGER_POSTGRES": databases.uris[0]})
        wait_for("the rest", lambda: _rows(databases.uris[0], _RUNS) == [(300,)], SECONDS)
        _shell(check, environment, tmp_path)
    for query in (_TOTALS, _STREAKS, "SELECT log_partition, log_offset, event_id FROM run_event ORDER BY 1, 2"):
        assert _rows(databases.uris[0], query) == _rows(database, query)


def test_topics_made_anew_stop_the_sink_and_get_a_database_of_their_own(
    topics: ConnectionSettings, database: str, databases: Databases, tmp_path: Path
) -> None:
    migrate(database)
    begin = documents.example("docs/backup.md", "bash", "$NEW_NAME")
    said = documents.example("docs/backup.md", "sql", "FROM agent")
    stopped = documents.example("docs/backup.md", "text", "recreated")
    accepted = documents.example("docs/backup.md", "sql", "INSERT INTO consumer_offset")
    with psycopg.connect(database, autocommit=True) as connection:
        create_project(connection, "mine", "Mine")
        create_key(connection, "mine", ["emit"])
    settings = topics.model_copy(update={"postgres": database})
    with pipeline(settings, tmp_path, ("processor", "sink")) as running:
        _tell(settings, 20)
        wait_for("all runs", lambda: _rows(database, _RUNS) == [(20,)], SECONDS)
    _make_anew(settings)
    with pipeline(settings, tmp_path, ("sink",)) as running:
        wait_for("it stops", lambda: 78 in running.workers[0].exits, SECONDS)
        log = running.workers[0].log.read_text()
        assert "these topics need a database of their own" in log
        assert stopped.strip().rstrip("…").replace("runledger.", "").partition("[0]")[2] in log
        environment = running.environment | databases.environment()
        environment |= {"NEW": databases.uris[1], "NEW_NAME": databases.names[1]}
    assert _rows(database, said) == []
    _shell(begin, environment, tmp_path)
    with psycopg.connect(databases.uris[1]) as connection:
        connection.execute(accepted.encode())
        connection.rollback()
    anew = settings.model_copy(update={"postgres": databases.uris[1]})
    with pipeline(anew, tmp_path, ("processor", "sink")):
        _tell(anew, 10)
        wait_for("new runs", lambda: _rows(anew.postgres, _RUNS) == [(10,)], SECONDS)
        wait_for("the recount", lambda: _is_clean(anew.postgres), SECONDS)
    keys = "SELECT project_key, key_hash, scopes FROM api_key"
    assert _rows(anew.postgres, keys) == _rows(database, keys) != []
    assert _rows(database, _RUNS) == [(20,)]


def _make_anew(settings: ConnectionSettings) -> None:
    """Delete every topic and make it again, as after the loss of a whole cluster."""
    names = [topic.name(settings.topic_prefix) for topic in ALL_TOPICS]
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for deleted in admin.delete_topics(names).values():
        deleted.result()
    wait_for("the topics are gone", lambda: not set(names) & set(admin.list_topics(timeout=10).topics), SECONDS)
    ensure_topics(settings)
