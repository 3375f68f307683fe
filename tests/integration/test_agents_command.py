"""`runledger agents` from the command line through the topic and the sink into the tables; docs/agents.md is true."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson
import psycopg
import pytest

from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.settings_log import SettingsError, read_settings, remove_settings, write_settings
from runledger.sinks.consumer import consume
from runledger.sinks.migrate import migrate
from runledger.sinks.settings import SinkSettings
from tests import documents
from tests.integration.sinks.servers import own_postgres

pytestmark = pytest.mark.integration


class Stage:
    """A sink that writes a test's topics into its tables, and the command line beside it."""

    def __init__(self, settings: SinkSettings) -> None:
        self.settings = settings
        self.connection = psycopg.connect(settings.postgres, autocommit=True)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
        return kept | {
            "RUNLEDGER_KAFKA": self.settings.kafka,
            "RUNLEDGER_POSTGRES": self.settings.postgres,
            "RUNLEDGER_TOPIC_PREFIX": self.settings.topic_prefix,
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def runledger(self, *arguments: str) -> str:
        done = self.run("-m", "runledger", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def settle(self) -> None:
        """Wait until the sink has written all that stands in the topic."""
        with_kafka = ConnectionSettings(kafka=self.settings.kafka, topic_prefix=self.settings.topic_prefix)
        name = f"{with_kafka.topic_prefix}settings"
        mark = AgentSettings("marks", f"mark-{time.monotonic_ns()}")
        for project in ("marks", *(f"marks-{number}" for number in range(12))):  # some in every partition
            write_settings(with_kafka, replace(mark, project_key=project))
        query = f"SELECT count(*) FROM agent WHERE agent_id = '{mark.agent_id}'"  # noqa: S608  # our own name
        until(lambda: self.rows(query) == [(13,)], name)
        self.connection.execute("DELETE FROM agent WHERE project_key LIKE 'marks%'")


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 40
    while not true():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.05)


@pytest.fixture
def stage(topics: ConnectionSettings, database: str) -> Iterator[Stage]:
    migrate(database)
    settings = SinkSettings(kafka=topics.kafka, postgres=database, topic_prefix=topics.topic_prefix)
    stopping = threading.Event()
    sink = threading.Thread(target=consume, args=(settings, stopping))
    sink.start()
    made = Stage(settings)
    yield made
    stopping.set()
    sink.join(30)
    made.connection.close()
    assert not sink.is_alive()


def test_each_example_of_the_page_runs_and_prints_what_it_says(stage: Stage) -> None:
    printed = ""
    languages = []
    for block in documents.whole("docs/agents.md"):
        languages.append(block.language)
        if block.language == "bash":
            for line in block.text.splitlines():
                words = shlex.split(line)
                assert words[0] == "runledger"
                if words[1:3] == ["agents", "list"]:
                    stage.settle()
                printed = stage.runledger(*words[1:])
        elif block.language == "text":
            assert [line.rstrip() for line in printed.splitlines()] == block.text.splitlines()
        else:
            done = stage.run("-W", "error", "-c", block.text)
            assert done.returncode == 0, done.stderr
            assert "default/sage AgentSettings(" in done.stdout
            assert "default/nova Tombstone(" in done.stdout
    assert set(languages) == {"bash", "text", "python"}
    stage.settle()
    assert stage.rows("SELECT agent_id, name, role, expected_interval_seconds, retired FROM agent ORDER BY 1") == [
        ("nova", None, None, None, False),
        ("sage", "Sage", "Backend", 1800, False),
    ]
    assert stage.rows("SELECT expected_interval_seconds FROM project WHERE project_key = 'default'") == [(None,)]


def test_what_is_expected_of_runs_is_set_for_an_agent_and_for_all(stage: Stage) -> None:
    said = stage.runledger("agents", "set", "sage", "--deadline", "2h", "--silent-after", "5", "--failing-after", "2")
    assert said == "default/sage: deadline 2h, silent after 5, failing after 2\n"
    said = stage.runledger("agents", "set", "--all", "--deadline", "30m", "--failing-after", "1")
    assert said == "every agent of default: deadline 30m, failing after 1\n"
    assert read_settings(stage.settings, "default", "sage") == AgentSettings("default", "sage", 7200, 5, 2)
    assert read_settings(stage.settings, "default", None) == AgentSettings("default", None, 1800, None, 1)


def test_the_commands_leave_alone_what_is_not_given(stage: Stage) -> None:
    standing = AgentSettings("p", "sage", deadline_seconds=60, silence_threshold=2, failure_threshold=4, role="Old")
    write_settings(stage.settings, standing)
    said = stage.runledger("agents", "set", "sage", "--project", "p", "--role", "New")
    assert said == "p/sage: role New, deadline 1m, silent after 2, failing after 4\n"
    assert read_settings(stage.settings, "p", "sage") == replace(standing, role="New")
    stage.settle()
    assert stage.rows("SELECT role, deadline_seconds, silence_threshold FROM agent") == [("New", 60, 2)]


def test_the_list_is_of_one_project_and_for_programs_too(stage: Stage) -> None:
    stage.runledger("agents", "set", "sage", "--every", "1h", "--project", "ours")
    stage.runledger("agents", "set", "[red]spy", "--every", "1h", "--project", "theirs")
    stage.settle()
    document = orjson.loads(stage.runledger("agents", "list", "--json", "--project", "ours"))
    assert [(agent["project_key"], agent["agent_id"], agent["state"]) for agent in document["agents"]] == [
        ("ours", "sage", "expected")
    ]
    assert (document["judged"], document["agents"][0]["expected_interval_seconds"]) == (False, 3600)
    assert "[red]spy" in stage.runledger("agents", "list")


def test_a_record_written_is_read_back_and_a_tombstone_takes_it_away(topics: ConnectionSettings) -> None:
    assert read_settings(topics, "p", "sage") is None
    for number in range(3):
        for agent_id in ("sage", "nova", None):
            write_settings(topics, AgentSettings("p", agent_id, expected_interval_seconds=number + 1))
    remove_settings(topics, "p", "nova")
    found = [read_settings(topics, "p", agent_id) for agent_id in ("sage", "nova", None)]
    expected = AgentSettings("p", expected_interval_seconds=3)
    assert found == [replace(expected, agent_id="sage"), None, expected]


def test_nothing_is_written_where_what_stands_cannot_be_read(topics: ConnectionSettings) -> None:
    nowhere = topics.model_copy(update={"topic_prefix": "no-such-"})
    with pytest.raises(SettingsError, match="runledger migrate"):
        read_settings(nowhere, "p", "sage")
    with pytest.raises(SettingsError, match="could not be read within 0 s; nothing is changed"):
        read_settings(topics, "p", "sage", timeout_seconds=0)


def test_an_analyst_reads_with_the_login_of_the_operations_page() -> None:
    login, by_hand, lag = documents.examples("docs/operations.md", "sql")
    with own_postgres() as uri:
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("CREATE ROLE ledger_owner LOGIN PASSWORD 'o'")
            connection.execute(by_hand.encode())
            connection.execute("CREATE DATABASE ledger OWNER ledger_owner")
        place = psycopg.conninfo.conninfo_to_dict(uri) | {"dbname": "ledger"}
        migrate(psycopg.conninfo.make_conninfo("", **place | {"user": "ledger_owner", "password": "o"}))
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(login.encode())
        analyst = place | {"user": "analyst", "password": "choose one"}
        with psycopg.connect(psycopg.conninfo.make_conninfo("", **analyst), autocommit=True) as connection:
            assert connection.execute("SELECT count(*) FROM agent_run_log").fetchone() == (0,)
            assert connection.execute(lag.encode()).fetchone() == (None,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT count(*) FROM api_key")
            with pytest.raises(psycopg.Error):
                connection.execute("DELETE FROM agent_run_log")
