"""The relay from end to end, and between its two steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from runledger.schemas.codec import decode
from runledger.schemas.identifiers import job_id, row_id, run_key
from runledger.schemas.scoring import DEFAULT_RUBRIC, ScoringJob
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import SCORING_JOBS
from runledger.sinks.dead_letters import make_producer
from runledger.sinks.errors import DeliveryError
from runledger.sinks.outbox_relay import OutboxRelay, relay
from runledger.sinks.settings import SinkSettings
from runledger.vitals import Keeper, VitalsSettings, kept_by
from runledger.vitals.metrics import OUTBOX_AGE
from tests.e2e.pipeline import wait_for
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import PROJECT, logged_record, outcome, run_number

pytestmark = pytest.mark.integration

_UNSENT = "SELECT count(*) FROM scoring_outbox WHERE sent_at IS NULL"


@pytest.fixture
def settings(topics: ConnectionSettings, ledger: Ledger) -> SinkSettings:
    return SinkSettings(
        kafka=topics.kafka, postgres=ledger.uri, topic_prefix=topics.topic_prefix, testing=True, relay_batch_jobs=3
    )


@pytest.fixture
def outbox(settings: SinkSettings) -> Iterator[OutboxRelay]:
    made = OutboxRelay(settings, make_producer(settings))
    yield made
    made.close()


def _sent(settings: SinkSettings) -> list[tuple[bytes, ScoringJob]]:
    reader = Consumer({"bootstrap.servers": settings.kafka, "group.id": "none", "enable.partition.eof": True})
    topic = SCORING_JOBS.name(settings.topic_prefix)
    reader.assign([TopicPartition(topic, number, 0) for number in range(settings.partitions)])
    found: list[tuple[bytes, ScoringJob]] = []
    ends = 0
    while ends < settings.partitions:
        message = reader.poll(10)
        assert message is not None
        if message.error():
            ends += 1
        else:
            found.append((message.key() or b"", decode(ScoringJob, message.value())))
    reader.close()
    return found


def test_relay_once_sends_each_job_under_its_runs_key_and_marks_it(
    settings: SinkSettings, ledger: Ledger, outbox: OutboxRelay
) -> None:
    ledger.write([logged_record(number, outcome(number)) for number in range(5)])
    assert [outbox.relay_once() for _ in range(3)] == [3, 2, 0]
    assert ledger.rows(_UNSENT) == [(0,)]
    expected = {
        (run_key(PROJECT, run_number(number)), job_id(row_id(PROJECT, run_number(number)), DEFAULT_RUBRIC))
        for number in range(5)
    }
    sent = _sent(settings)
    assert len(sent) == 5
    assert {(key, job.job_id) for key, job in sent} == expected


def test_a_relay_killed_between_send_and_mark_sends_again(
    settings: SinkSettings, ledger: Ledger, outbox: OutboxRelay
) -> None:
    ledger.write([logged_record(0, outcome(1))])
    with outbox._writer.claimed_jobs(10) as jobs:  # the moment between the two steps
        outbox.send(jobs)
        outbox.close()  # what the server sees of a kill
    assert ledger.rows(_UNSENT) == [(1,)]
    assert outbox.relay_once() == 1
    assert [job.job_id for _, job in _sent(settings)] == [job_id(row_id(PROJECT, run_number(1)), DEFAULT_RUBRIC)] * 2


def test_two_relays_never_claim_the_same_job(settings: SinkSettings, ledger: Ledger, outbox: OutboxRelay) -> None:
    ledger.write([logged_record(number, outcome(number)) for number in range(5)])
    other = OutboxRelay(settings, make_producer(settings))
    with other._writer.claimed_jobs(3) as claimed:  # the other one is at work
        assert len(claimed) == 3
        assert outbox.relay_once() == 2
    other.close()
    assert len(_sent(settings)) == 2


def _to_nobody(settings: SinkSettings) -> Producer:
    """Return a producer whose broker is away."""
    return make_producer(settings.model_copy(update={"kafka": "127.0.0.1:1", "delivery_timeout_seconds": 0.5}))


def test_relay_once_marks_nothing_that_the_broker_did_not_acknowledge(settings: SinkSettings, ledger: Ledger) -> None:
    outbox = OutboxRelay(settings, _to_nobody(settings))
    ledger.write([logged_record(0, outcome(1))])
    with pytest.raises(DeliveryError):
        outbox.relay_once()
    outbox.close()
    assert ledger.rows(_UNSENT) == [(1,)]
    assert _sent(settings) == []


def test_with_the_outbox_switched_off_an_undelivered_job_is_lost(settings: SinkSettings, ledger: Ledger) -> None:
    careless = settings.model_copy(update={"unsafe_disable": frozenset({"outbox"})})
    outbox = OutboxRelay(careless, _to_nobody(settings))
    ledger.write([logged_record(0, outcome(1))])
    with pytest.raises(DeliveryError):
        outbox.relay_once()
    outbox.close()
    assert ledger.rows(_UNSENT) == [(0,)]
    assert _sent(settings) == []


def test_relay_is_woken_by_the_writer(settings: SinkSettings, ledger: Ledger) -> None:
    stopping = threading.Event()
    slow = settings.model_copy(update={"relay_poll_seconds": 3600.0})
    outbox = OutboxRelay(slow, make_producer(slow))
    outbox.wait(stopping)  # begins to listen
    ledger.write([logged_record(0, outcome(1))])
    outbox.wait(stopping)
    assert outbox.relay_once() == 1
    outbox.close()


def test_relay_sends_what_is_there_and_stops_when_asked(settings: SinkSettings, ledger: Ledger) -> None:
    ledger.write([logged_record(number, outcome(number)) for number in range(7)])
    stopping = threading.Event()
    thread = threading.Thread(target=relay, args=(settings, stopping))
    thread.start()
    deadline = threading.Event()
    for _ in range(400):
        if ledger.rows(_UNSENT) == [(0,)]:
            break
        deadline.wait(0.05)
    stopping.set()
    thread.join(30)
    assert not thread.is_alive()
    assert len(_sent(settings)) == 7


def test_a_job_that_the_broker_does_not_take_grows_older(settings: SinkSettings, ledger: Ledger) -> None:
    refused = settings.model_copy(
        update={"kafka": "127.0.0.1:1", "delivery_timeout_seconds": 0.2, "retry_seconds": 0.05}
    )
    ledger.write([logged_record(0, outcome(1))])
    stopping, keeper = threading.Event(), Keeper("relay", VitalsSettings(metrics_port=None))

    def age_seconds() -> float:
        lines = keeper.meters.exposition().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{OUTBOX_AGE.name} "))

    with kept_by(keeper):
        thread = threading.Thread(target=relay, args=(refused, stopping))
        thread.start()
        try:
            wait_for("an age", lambda: age_seconds() > 0, 30)
            first = age_seconds()
            wait_for("a later one", lambda: age_seconds() > first, 30)
        finally:
            stopping.set()
            thread.join(30)
    assert not thread.is_alive()
