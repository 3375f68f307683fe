from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from runledger.producers.building import build
from runledger.producers.kafka_transport import KafkaTransport, ProducerConfig, producer_config
from runledger.producers.records import Record
from runledger.producers.settings import ProducerSettings
from runledger.producers.transport import Failure, TransportFullError
from runledger.schemas.run_events import RunHeartbeat

RECORD = Record.of(build(RunHeartbeat, {}, project="acme", run_id="00000000-0000-0000-0000-000000000001"))


def pretended(config: ProducerConfig) -> Producer:
    """Make librdkafka with a broker of its own, within this process."""
    return Producer({**config, "test.mock.num.brokers": 1})


class FailingProducer(Producer):
    """librdkafka after an error it calls fatal: every produce is refused, for ever."""

    def produce(self, *_arguments: object, **_named: object) -> None:
        raise KafkaException(KafkaError(KafkaError._FATAL, "epoch lost", fatal=True))


class BreakingProducer(Producer):
    """librdkafka that meets such an error after three records."""

    left = 3

    def produce(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  # as its own
        self.left -= 1
        if self.left < 0:
            raise KafkaException(KafkaError(KafkaError._FATAL, "epoch lost", fatal=True))
        super().produce(*arguments, **named)


def test_a_producer_that_broke_for_good_is_replaced(dead_port: str) -> None:
    made: list[Producer] = []

    def make(config: ProducerConfig) -> Producer:
        made.append(Producer(config) if made else FailingProducer(config))
        return made[-1]

    transport = KafkaTransport(ProducerSettings(kafka=dead_port), make)
    told: list[Failure | None] = []
    transport.send(RECORD, told.append)
    assert told == [Failure("epoch lost")]
    transport.send(RECORD, told.append)
    assert len(told) == 1
    transport.close()
    assert [failure is not None and failure.final for failure in told] == [False, False]
    assert len(made) == 2


def test_a_word_on_one_record_may_send_the_next() -> None:
    transport = KafkaTransport(ProducerSettings(), pretended)
    told: list[Failure | None] = []
    enough = threading.Event()

    def tell(failure: Failure | None) -> None:
        told.append(failure)
        if len(told) < 100:
            transport.send(RECORD, tell)
            transport.hear()
            transport.wait_for_room(0.001)
        else:
            enough.set()

    for _ in range(3):  # the later ones wait for their word while the first is being heard
        transport.send(RECORD, tell)
    assert enough.wait(20)
    transport.close()
    assert set(told) == {None}


def test_a_producer_may_break_within_a_word_of_its_own() -> None:
    made: list[Producer] = []

    def make(config: ProducerConfig) -> Producer:
        kind = Producer if made else BreakingProducer
        made.append(kind({**config, "test.mock.num.brokers": 1}))
        return made[-1]

    transport = KafkaTransport(ProducerSettings(), make)
    told: list[Failure | None] = []

    def tell(failure: Failure | None) -> None:
        told.append(failure)
        transport.send(RECORD, told.append)

    for _ in range(3):  # the first word finds it broken, while the others wait for theirs
        transport.send(RECORD, tell)
    deadline = time.monotonic() + 20
    while len(told) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    transport.close()
    assert len(told) == 6
    assert told[1] == Failure("epoch lost")
    assert len(made) == 2


def test_a_word_that_a_caller_hears_may_close() -> None:
    """As the handler of a signal does that comes just then."""
    transport = KafkaTransport(ProducerSettings(), pretended)
    told: list[Failure | None] = []
    caller, closed, sent = threading.current_thread(), threading.Event(), 0

    def tell(failure: Failure | None) -> None:
        told.append(failure)
        if threading.current_thread() is caller and not closed.is_set():
            closed.set()
            transport.close()

    deadline = time.monotonic() + 20
    while not closed.is_set() and time.monotonic() < deadline:
        with suppress(TransportFullError):  # what was sent is on its way, and will be told
            for _ in range(100):
                transport.send(RECORD, tell)
                sent += 1
        transport.hear()
    assert closed.is_set()
    assert len(told) == sent


def test_a_word_that_nobody_else_hears_may_close() -> None:
    transport = KafkaTransport(ProducerSettings(), pretended)
    told: list[Failure | None] = []

    def tell(failure: Failure | None) -> None:
        told.append(failure)
        transport.close()

    for _ in range(3):
        transport.send(RECORD, tell)
    deadline = time.monotonic() + 20
    while len(told) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    transport.close()
    assert len(told) == 3


def test_what_callers_hear_and_what_is_left_is_each_record_once() -> None:
    transport = KafkaTransport(ProducerSettings(), pretended)
    told: list[Failure | None] = []
    for number in range(5000):
        transport.send(RECORD, told.append)
        if number % 100 == 0:
            transport.hear()
    deadline = time.monotonic() + 20
    while len(told) < 5000 and time.monotonic() < deadline:
        time.sleep(0.01)
    transport.close()
    assert told == [None] * 5000


def test_the_queue_is_bounded_in_events_and_in_bytes() -> None:
    config = producer_config(ProducerSettings(queue_events=7, queue_bytes=2 * 1024 * 1024))
    assert (config["queue.buffering.max.messages"], config["queue.buffering.max.kbytes"]) == (7, 2048)
    assert (config["enable.idempotence"], config["acks"], config["partitioner"]) == (True, "all", "murmur2_random")


def test_a_broker_that_is_away_is_said_once(dead_port: str, caplog: pytest.LogCaptureFixture) -> None:
    transport = KafkaTransport(ProducerSettings(kafka=dead_port))
    told: list[Failure | None] = []
    transport.send(RECORD, told.append)
    deadline = time.monotonic() + 20
    while not caplog.messages and time.monotonic() < deadline:
        time.sleep(0.02)
    transport.close()
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("Kafka cannot be reached, events wait: ")
