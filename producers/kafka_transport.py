"""Records to the run-events topic through librdkafka, and the broker's word on each."""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runledger.producers.records import Record
from runledger.producers.settings import ProducerSettings
from runledger.producers.transport import Failure, Report, TransportFullError
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.topics import PARTITIONER, RUN_EVENTS

ProducerConfig: TypeAlias = dict[str, Any]

_ANY_PARTITION, _NOW = -1, 0
_POLL_SECONDS = 0.1
_LEFT_SECONDS = 0.01
"""How long the reports are left to callers after one has heard some."""
_PURGE_SECONDS = 2.0
_CLOSE_SECONDS = 5.0
_WARN_SECONDS = 60.0
_FINAL = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_RECORD,
}
_LOG = logging.getLogger(__name__)


def producer_config(settings: ProducerSettings) -> ProducerConfig:
    """Configuration of an idempotent producer that puts keys where Java and Faust put them."""
    return {
        **kafka_client(settings),
        "client.id": "runledger-sdk",
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "partitioner": PARTITIONER,
        "linger.ms": 5,
        "message.timeout.ms": int(settings.delivery_timeout_seconds * 1000),
        "queue.buffering.max.messages": settings.queue_events,
        "queue.buffering.max.kbytes": max(1, settings.queue_bytes // 1024),
        # The default of 10 s would keep events waiting that long after the broker's return.
        "reconnect.backoff.max.ms": 2000,
        # librdkafka would write each lost connection to the host's stderr; `_warn` says it once a minute.
        "log_level": 2,
    }


class _Delivered(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Hands librdkafka's word on."""

    report: Report

    def __call__(self, error: KafkaError | None, _message: Message) -> None:
        self.report(None if error is None else Failure(error.str(), final=error.code() in _FINAL))


class _Hearing(threading.local):
    """Whether this thread is within one of librdkafka's words."""

    now = False


class KafkaTransport:
    """Hand records to Kafka; a thread of its own serves the delivery reports.

    Args:
        settings: where the broker is, and the bounds.
        make_producer: makes librdkafka's producer.
    """

    def __init__(
        self, settings: ProducerSettings, make_producer: Callable[[ProducerConfig], Producer] = Producer
    ) -> None:
        self._topic = RUN_EVENTS.name(settings.topic_prefix)
        self._config = producer_config(settings)
        self._make_producer = make_producer
        self._replacing = threading.Lock()
        self._broken: deque[Producer] = deque()
        self._config["error_cb"] = self._warn
        self._warn_at = 0.0
        self._producer = make_producer(self._config)
        self._hearing = _Hearing()
        self._heard = False
        self._closed = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="runledger-kafka", daemon=True)
        self._thread.start()

    def send(self, record: Record, report: Report) -> None:
        """Queue a record; see `Transport.send`."""
        if self._closed:
            raise TransportFullError
        producer = self._producer
        try:
            # All in their places: to be sorted out by their names takes a fifth of the call.
            producer.produce(
                self._topic, record.value, record.key, _ANY_PARTITION, _Delivered(report), None, _NOW, record.headers
            )
        except BufferError as error:
            raise TransportFullError from error
        except KafkaException as error:
            if error.args[0].fatal():
                self._replace(producer)
            _LOG.warning("the Kafka producer refused a record", extra={"reason": error.args[0].str()})
            report(Failure(error.args[0].str()))

    def hear(self) -> None:
        """See `Transport.hear`."""
        self._heard = True
        self._listen(self._producer, 0)

    def wait_for_room(self, seconds: float) -> None:
        """See `Transport.wait_for_room`."""
        if not self._listen(self._producer, min(seconds, _POLL_SECONDS)):
            self._stopping.wait(min(seconds, _POLL_SECONDS))

    def close(self) -> None:
        """See `Transport.close`."""
        self._closed = True
        self._stopping.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_SECONDS)
        if not self._hearing.now:
            self._give_up()

    def abandon(self) -> None:
        """See `Transport.abandon`."""
        # The producers' threads stayed in the parent: to destroy one here would wait for them for ever.
        for producer in (self._producer, *self._broken):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(producer))

    def _replace(self, broken: Producer) -> None:
        """Put a new producer in the place of one that takes nothing any more; what it held is reported as failed."""
        with self._replacing:
            if self._producer is not broken:
                return
            self._producer = self._make_producer(self._config)
            self._broken.append(broken)

    def _serve(self) -> None:
        """Hear what no caller hears, and give up at last: who closes may be within a word, as a signal's handler is."""
        while not self._stopping.is_set():
            if self._heard:
                self._heard = False
                self._stopping.wait(_LEFT_SECONDS)
            else:
                self._listen(self._producer, _POLL_SECONDS)
            self._give_up_broken()
        self._give_up()

    def _listen(self, producer: Producer, seconds: float) -> bool:
        """Hear what librdkafka has to say; False where this thread is hearing it already.

        A program's `on_delivered` may tell something itself: to ask librdkafka for more within one of its words would
        end the process.
        """
        if self._hearing.now:
            return False
        try:
            self._hearing.now = True
            producer.poll(seconds)
        finally:
            self._hearing.now = False
        return True

    def _warn(self, error: KafkaError) -> None:
        """Say that Kafka is away, once a minute: librdkafka says it at every attempt."""
        now = time.monotonic()
        if now >= self._warn_at:
            self._warn_at = now + _WARN_SECONDS
            _LOG.warning("Kafka cannot be reached, events wait: %s", error.str())

    def _give_up(self) -> None:
        """Have reported as failed whatever is pending."""
        self._give_up_broken()
        self._purge(self._producer)

    def _give_up_broken(self) -> None:
        while self._broken:
            self._purge(self._broken.popleft())

    def _purge(self, producer: Producer) -> None:
        producer.purge()
        deadline = time.monotonic() + _PURGE_SECONDS
        while len(producer) and time.monotonic() < deadline:
            self._listen(producer, _POLL_SECONDS)
