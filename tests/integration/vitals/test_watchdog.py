"""Stuck processes end and say where they hung; those that wait for a server, or were stopped themselves, go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Producer

from runledger.schemas.codec import encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import PARTITIONER, RUN_EVENTS
from runledger.sinks.migrate import migrate
from runledger.vitals.exits import EXIT_STUCK
from tests.e2e.pipeline import pipeline, wait_for
from tests.faults.proxy import Proxy
from tests.unit.processors.logs import event

pytestmark = [pytest.mark.integration, pytest.mark.slow]

STALL_SECONDS = 2.0
SINK_STALL_SECONDS = 2.5 * STALL_SECONDS
SESSION_SECONDS = 6.0


def tell(settings: ConnectionSettings, first: int, count: int) -> None:
    """Log so many runs' beginnings, acknowledged."""
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": PARTITIONER})
    for number in range(first, first + count):
        begun = event("started", number, f"e-{number}")
        producer.produce(RUN_EVENTS.name(settings.topic_prefix), encode_event(begun), run_key("p", begun.run_id))
    assert producer.flush(30) == 0


def stored(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM run_event").fetchone()
    assert row is not None
    return int(row[0])


def begin(settings: ConnectionSettings, stored_runs: int) -> None:
    tell(settings, 0, stored_runs)
    wait_for("the first events", lambda: stored(settings.postgres) == stored_runs, 60)


def test_a_stuck_fold_ends_the_processor_and_the_log_says_where(topics: ConnectionSettings, tmp_path: Path) -> None:
    environment = os.environ | {
        "RUNLEDGER_KAFKA": topics.kafka,
        "RUNLEDGER_TOPIC_PREFIX": topics.topic_prefix,
        "RUNLEDGER_STALL_SECONDS": "4",
    }
    log = tmp_path / "processor.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "tests.integration.vitals.stuck_stage"]
        with subprocess.Popen(command, env=environment, stdout=out, stderr=out) as process:
            try:
                tell(topics, 0, 20)
                assert process.wait(90) == EXIT_STUCK
            finally:
                process.kill()
    last = json.loads(log.read_text().splitlines()[-1])
    assert last["event"] == "stuck"
    assert "event loop" in last["works"]
    assert "stuck_stage.py" in json.dumps(last["stacks"])


def test_a_sink_whose_connection_died_without_a_word_starts_again_and_loses_nothing(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    """The server's end is gone, and nobody said so: a write would wait for hours. New connections are answered."""
    migrate(database)
    settings = topics.model_copy(update={"postgres": database})
    parts = psycopg.conninfo.conninfo_to_dict(database)
    with Proxy(str(parts["host"]), int(parts["port"] or 0)) as proxy:
        through = psycopg.conninfo.make_conninfo(database, host="127.0.0.1", port=proxy.port)
        told = {"RUNLEDGER_POSTGRES": through, "RUNLEDGER_STALL_SECONDS": str(STALL_SECONDS)}
        with pipeline(settings, tmp_path, ("sink",), **told) as running:
            begin(settings, 20)
            proxy.hold()
            tell(settings, 20, 20)
            wait_for("the rest of the events", lambda: stored(database) == 40, 90)
            assert running.workers[0].exits == [EXIT_STUCK]
            assert [*running.lines("stuck")[0]["works"]] != []


def test_a_sink_whose_database_is_away_waits_in_its_group_and_is_not_ended(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    """For longer than a session and than its client may go without a poll: it pauses its partitions and polls on."""
    migrate(database)
    settings = topics.model_copy(update={"postgres": database})
    parts = psycopg.conninfo.conninfo_to_dict(database)
    with Proxy(str(parts["host"]), int(parts["port"] or 0)) as proxy:
        through = psycopg.conninfo.make_conninfo(database, host="127.0.0.1", port=proxy.port)
        told = {
            "RUNLEDGER_POSTGRES": through,
            "RUNLEDGER_STALL_SECONDS": str(STALL_SECONDS),
            "RUNLEDGER_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
            "RUNLEDGER_POLL_LIMIT_SECONDS": str(SESSION_SECONDS),
        }
        with pipeline(settings, tmp_path, ("sink",), **told) as running:
            begin(settings, 20)
            with proxy.refusing():
                tell(settings, 20, 20)
                began = time.monotonic()
                wait_for("more than the limits", lambda: time.monotonic() - began > 2.2 * SESSION_SECONDS, 60)
            wait_for("the rest of the events", lambda: stored(database) == 40, 60)
            assert running.workers[0].exits == []
            assert running.lines("database_away") != []
            assert len(running.lines("partitions_assigned")) == 1


def test_a_sink_that_was_stopped_and_goes_on_is_not_ended(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    migrate(database)
    settings = topics.model_copy(update={"postgres": database})
    with pipeline(settings, tmp_path, ("sink",), RUNLEDGER_STALL_SECONDS=str(STALL_SECONDS)) as running:
        begin(settings, 20)
        running.workers[0].signal(signal.SIGSTOP)
        began = time.monotonic()
        tell(settings, 20, 20)
        wait_for("more than the limit", lambda: time.monotonic() - began > 2 * SINK_STALL_SECONDS, 60)
        running.workers[0].signal(signal.SIGCONT)
        wait_for("the rest of the events", lambda: stored(database) == 40, 60)
        assert running.workers[0].exits == []
