"""Topics that are missing, wrong, recreated or cut short, and transactions that hang."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewPartitions, NewTopic  # type: ignore[attr-defined]  # exported at run time

from runledger.schemas.codec import encode
from runledger.schemas.snapshots import Position
from runledger.schemas.topics import (
    AGENTS,
    DEAD_LETTERS,
    INCIDENTS,
    RUN_EVENTS,
    RUN_LOG,
    RUN_POSITIONS,
    RUN_SCORES,
    RUNS,
    Topic,
)
from tests.e2e.pipeline import pipeline, wait_for
from tests.integration.doctor.setup import Setup

pytestmark = pytest.mark.integration


def delete(setup: Setup, topic: Topic) -> None:
    for done in setup.admin.delete_topics([setup.name(topic)]).values():
        done.result()
    wait_for("the topic to go", lambda: setup.name(topic) not in setup.admin.list_topics(timeout=9).topics, 30)


def create(setup: Setup, topic: Topic, partitions: int = 4) -> None:
    wanted = NewTopic(setup.name(topic), partitions, config=topic.config())
    for done in setup.admin.create_topics([wanted]).values():
        done.result()


def test_missing_topics_are_told_and_made(setup: Setup) -> None:
    delete(setup, INCIDENTS)
    found = setup.mend("topics")
    assert found["command"] == "runledger migrate"
    assert setup.name(INCIDENTS) in found["found"]


def test_a_wrong_prefix_is_told(setup: Setup) -> None:
    setup.environment["RUNLEDGER_TOPIC_PREFIX"] = "misspelt."
    assert "RUNLEDGER_TOPIC_PREFIX" in setup.doctor().of("topics")["found"]


def test_a_wrong_number_of_partitions_is_told_and_set(setup: Setup) -> None:
    setup.environment["RUNLEDGER_PARTITIONS"] = "8"
    assert setup.mend("partitions")["command"] == "export RUNLEDGER_PARTITIONS=4"


def test_one_topic_with_more_partitions_than_the_others_is_told(setup: Setup) -> None:
    for done in setup.admin.create_partitions([NewPartitions(setup.name(RUN_LOG), 6)]).values():
        done.result()
    wait_for(
        "partitions",
        lambda: (
            len(setup.admin.list_topics(setup.name(RUN_LOG), timeout=9).topics[setup.name(RUN_LOG)].partitions) == 6
        ),
        30,
    )
    found = setup.doctor().of("partitions")
    assert found["verdict"] == "problem"
    assert f"{setup.name(RUN_LOG)} (6)" in found["found"]
    assert "backup" in found["remedy"]


@pytest.mark.parametrize(
    ("topic", "name", "value", "verdict"),
    [
        (RUNS, "cleanup.policy", "delete", "problem"),
        (AGENTS, "cleanup.policy", "compact,delete", "problem"),
        (RUN_EVENTS, "cleanup.policy", "compact", "problem"),
        (RUN_EVENTS, "message.timestamp.type", "CreateTime", "problem"),
        (DEAD_LETTERS, "max.message.bytes", "1000000", "problem"),
        (RUN_EVENTS, "min.insync.replicas", "2", "problem"),
        (RUN_SCORES, "retention.ms", "60000", "warning"),
        (RUN_EVENTS, "retention.bytes", "100000000", "warning"),
    ],
    ids=lambda value: value.suffix if isinstance(value, Topic) else None,
)
def test_a_topic_that_is_set_otherwise_is_told_and_mended(
    topic: Topic, name: str, value: str, verdict: str, setup: Setup
) -> None:
    setup.set_topic(topic, **{name: value})
    found = setup.mend("topic settings")
    assert found["verdict"] == verdict
    assert f"{setup.name(topic)}: {name} is {value}" in found["found"]


def test_a_recreated_topic_is_told_for_the_sink_and_the_processor(setup: Setup) -> None:
    described = setup.admin.list_topics(timeout=9).topics[setup.name(RUN_EVENTS)]
    assert described.error is None
    statement = "INSERT INTO consumer_offset VALUES (%(topic)s, 0, 0, 'another-id', 4)"
    setup.sql(statement, {"topic": setup.name(RUN_EVENTS)})
    position = Position("runs", 0, 0, "another-id", 4)
    setup.produce(RUN_POSITIONS, encode(position))

    report = setup.doctor()
    for check, stops in (("sink positions", "the sink stops"), ("processor positions", "the processor stops")):
        found = report.of(check)
        assert found["verdict"] == "problem"
        assert stops in found["found"]
        assert "recreated" in found["found"]
        assert "restore" in found["remedy"]


def test_a_log_that_no_longer_reaches_back_is_told(setup: Setup) -> None:
    """Retention has overtaken a sink whose database is new."""
    setup.produce(RUN_LOG, *[b"{}"] * 10)
    cut = [TopicPartition(setup.name(RUN_LOG), 0, 8)]
    for done in setup.admin.delete_records(cut).values():
        done.result()
    found = setup.doctor().of("sink positions")
    assert found["verdict"] == "problem"
    assert "the log begins at 8" in found["found"]


def test_an_emptied_changelog_is_told(setup: Setup) -> None:
    setup.set_topic(RUNS, cleanup__policy="delete")
    setup.produce(RUNS, *[b"{}"] * 10)
    for done in setup.admin.delete_records([TopicPartition(setup.name(RUNS), 0, 8)]).values():
        done.result()
    found = setup.doctor().of("processor positions")
    assert found["verdict"] == "problem"
    assert "was emptied" in found["found"]


def test_a_changelog_without_a_position_is_told(setup: Setup) -> None:
    setup.produce(RUNS, b"{}")
    assert "no position stands beside it" in setup.doctor().of("processor positions")["found"]


@pytest.mark.slow
def test_a_hanging_transaction_is_told_and_ends_when_its_processor_comes_back(setup: Setup, tmp_path: Path) -> None:
    left = Producer(
        {
            "bootstrap.servers": setup.connection.kafka,
            "transactional.id": f"{setup.connection.topic_prefix}processors-runs-0",
            "transaction.timeout.ms": 600_000,
        }
    )
    left.init_transactions(20)
    left.begin_transaction()
    left.produce(setup.name(RUN_LOG), b"{}", b"k", 0)
    assert left.flush(20) == 0
    wait_for(
        "the transaction to be old",
        lambda: setup.doctor(patience=1).of("open transactions")["verdict"] == "problem",
        30,
    )
    found = setup.doctor(patience=1).of("open transactions")
    assert f"{setup.name(RUN_LOG)}[0]" in found["found"]
    assert found["command"] == "runledger worker processor"
    with pipeline(setup.connection, tmp_path, ("processor",)):
        wait_for(
            "the transaction to end",
            lambda: setup.doctor(patience=1).of("open transactions")["verdict"] == "ok",
            60,
        )
