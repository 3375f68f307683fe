"""A demo run with kills in it, until each topic holds whatever it may hold.

The demo's runs and the hand-made ones, every worker killed on the way, transactions aborted on purpose; then settings,
timeouts and an erasure.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, KafkaError, TopicPartition

from runledger.contracts import CONTRACTS
from runledger.producers.client import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.replaying import send_file
from runledger.schemas.identifiers import new_event_id, new_run_id
from runledger.schemas.run_events import LoggedData, RunLogged
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import Topic
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from tests.e2e.command import runledger
from tests.e2e.pipeline import Pipeline, pipeline, wait_for
from tests.e2e.test_replay import AIRLINE, HANDMADE

RATE = 60
SEED = 20261122
WORKERS = ("processor", "processor", "sink", "relay", "scorer")
ABORTS = {"RUNLEDGER_TESTING": "1", "RUNLEDGER_UNSAFE_ABORT_RATIO": "0.3"}


def play(settings: ConnectionSettings, folder: Path) -> None:
    """Let it all happen on the test's own topics and database; the workers have ended when it returns."""
    migrate(settings.postgres)
    environment = ABORTS | {"RUNLEDGER_SESSION_TIMEOUT_SECONDS": "6", "RUNLEDGER_RUN_DEADLINE_SECONDS": "5"}
    with (
        pipeline(settings, folder, WORKERS, **environment) as running,
        psycopg.connect(settings.postgres, autocommit=True) as connection,
    ):
        command(settings, "project", "create", "default")
        command(settings, "agents", "set", "sage", "--project", "default", "--role", "Backend", "--every", "1h")
        command(settings, "agents", "set", "nova", "--project", "default", "--role", "Security")
        command(settings, "agents", "unset", "nova", "--project", "default")
        for file in (AIRLINE, HANDMADE):
            _send(file, settings, running)
        _overtake(settings)
        wait_for("every run ended, logged and scored", lambda: _settled(connection), 240)
        wait_for("a clean recount", lambda: verify(connection).clean, 60)
        project, kind = (
            connection.execute("SELECT project_key, fingerprint FROM failure_group LIMIT 1").fetchone() or ()
        )
        command(settings, "failures", "resolve", kind, "--project", project, "--by", "somebody")
        project, run = connection.execute("SELECT project_key, run_id::text FROM agent_run LIMIT 1").fetchone() or ()
        command(settings, "erase", "run", run, "--project", project, "--yes")


def command(settings: ConnectionSettings, *arguments: str) -> None:
    """Run one command, which must succeed."""
    done = runledger(settings, *arguments)
    assert done.returncode == 0, (arguments, done.stderr.decode())


def _send(file: Path, settings: ConnectionSettings, running: Pipeline) -> None:
    """Send a file's runs, and kill each worker once on the way."""
    waiting = random.Random(SEED).sample(running.workers, len(running.workers))
    share = 1 / (len(waiting) + 1)

    def kill(sent: int, of: int) -> None:
        while waiting and sent >= of * (1 - share * len(waiting)):
            waiting.pop().kill()

    send_file(file, ProducerSettings(**settings.model_dump()), rate=RATE, progress=kill)
    assert not waiting


def _overtake(settings: ConnectionSettings) -> None:
    """Let a failed run be told after a later one: the later one's streak is revised."""
    with RunClient(strict=True, settings=ProducerSettings(**settings.model_dump())) as client:
        for minute in (20, 10):
            client.publish(
                RunLogged(
                    event_id=new_event_id(),
                    project_key="default",
                    run_id=new_run_id(),
                    agent_id="overtaken",
                    occurred_at=datetime(2026, 3, 2, 9, minute, tzinfo=UTC),
                    data=LoggedData(status="failed"),
                )
            )
            client.flush()


def _settled(connection: psycopg.Connection) -> bool:
    """Whether every run has ended, stands in the log and is scored."""
    query = """
        SELECT count(*) > 0 AND bool_and(run.status <> 'running' AND log.rlhf_scores IS NOT NULL)
        FROM agent_run run LEFT JOIN agent_run_log log USING (project_key, run_id)
    """
    return bool((connection.execute(query).fetchone() or (False,))[0])


def committed(settings: ConnectionSettings) -> set[tuple[str, int, int]]:
    """Where every committed record stands, as librdkafka reads them: {(topic, partition, offset)}."""
    return {place for contract in CONTRACTS for place in places(settings, contract.topic, "read_committed")}


def places(settings: ConnectionSettings, topic: Topic, isolation: str) -> Iterator[tuple[str, int, int]]:
    """Yield where each record of a topic stands, as a reader of that isolation level sees it."""
    name = topic.name(settings.topic_prefix)
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": f"{settings.topic_prefix}places",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "enable.partition.eof": True,
        }
    )
    ended = 0
    try:
        consumer.assign([TopicPartition(name, number, 0) for number in range(settings.partitions)])
        while ended < settings.partitions:
            for message in consumer.consume(1000, 1.0):
                error = message.error()
                if error is None:
                    yield name, int(message.partition() or 0), int(message.offset() or 0)
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error.str()
                    ended += 1
    finally:
        consumer.close()
