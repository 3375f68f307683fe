"""Events to the run-events topic, and the broker's word on each."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time

from confluent_kafka import Producer

from runledger.producers.deliveries import Deliveries, DeliveryReport, OnDelivered
from runledger.producers.errors import ClosedError, DeliveryError, InvalidEventError, QueueFullError
from runledger.producers.settings import ProducerSettings
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER, encode_event
from runledger.schemas.errors import EncodeError
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.topics import PARTITIONER, RUN_EVENTS

_POLL_SECONDS = 0.1
_LOG = logging.getLogger(__name__)


def producer_config(settings: ProducerSettings) -> dict[str, str | int | float | bool]:
    """Configuration of an idempotent producer that puts keys where Java and Faust put them."""
    return {
        "bootstrap.servers": settings.kafka,
        "client.id": "runledger-sdk",
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "partitioner": PARTITIONER,
        "linger.ms": 5,
        "message.timeout.ms": int(settings.delivery_timeout_seconds * 1000),
        "queue.buffering.max.messages": settings.queue_events,
    }


class Publisher:
    """Hand events to Kafka from any thread; a thread of its own serves the delivery reports.

    One that nobody closed still waits for its acknowledgements when the program ends, at most `flush_timeout_seconds`.
    """

    def __init__(self, settings: ProducerSettings) -> None:
        self._topic = RUN_EVENTS.name(settings.topic_prefix)
        self._queue_wait_seconds = settings.queue_wait_seconds
        self._flush_timeout_seconds = settings.flush_timeout_seconds
        self._pid = os.getpid()
        self._deliveries = Deliveries()
        self._producer = Producer(producer_config(settings))
        self._closed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="runledger-publisher", daemon=True)
        self._thread.start()
        atexit.register(self._close_at_exit)

    def publish(self, event: AnyRunEvent, on_delivered: OnDelivered | None = None) -> None:
        """Queue one event. Returning means queued, not delivered: only `flush` tells.

        Args:
            event: what happened.
            on_delivered: called from the publisher's thread with None once acknowledged, else with the failure, which
                `flush` then leaves out.

        Raises:
            InvalidEventError: the event is too large.
            QueueFullError: the local queue stayed full for `queue_wait_seconds`.
            ClosedError: closed before, or made before a fork.
        """
        if self._pid != os.getpid():
            raise ClosedError("the client was made in another process; make one after forking")
        if self._closed.is_set():
            raise ClosedError("the client is closed")
        try:
            value = encode_event(event)
        except EncodeError as error:
            raise InvalidEventError("event", str(error)) from error
        number, report = self._deliveries.expect(event, on_delivered)
        try:
            self._produce(event, value, report)
        except BaseException:
            self._deliveries.forget(number)
            raise

    def _produce(self, event: AnyRunEvent, value: bytes, report: DeliveryReport) -> None:
        deadline = time.monotonic() + self._queue_wait_seconds
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    value,
                    run_key(event.project_key, event.run_id),
                    on_delivery=report,
                    headers=[(EVENT_ID_HEADER, event.event_id.encode()), ("content-type", CONTENT_TYPE.encode())],
                )
            except BufferError as error:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise QueueFullError(f"the local queue stayed full for {self._queue_wait_seconds} s") from error
                self._producer.poll(min(left, _POLL_SECONDS))
            else:
                return

    def flush(self, timeout_seconds: float) -> None:
        """Wait until the broker has acknowledged every event.

        Raises:
            DeliveryError: some failed, or were still pending when the time was up; it names them.
        """
        if undelivered := self._deliveries.settle(timeout_seconds):
            raise DeliveryError(undelivered)

    def close(self, timeout_seconds: float) -> None:
        """Flush and stop. Closing twice is harmless.

        Raises:
            DeliveryError: as `flush` does; the publisher is closed all the same, and what was pending is given up.
        """
        if self._pid != os.getpid() or self._closed.is_set():
            return
        self._closed.set()
        atexit.unregister(self._close_at_exit)
        try:
            self.flush(timeout_seconds)
        finally:
            self._stopping.set()
            self._thread.join()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_SECONDS)

    def _close_at_exit(self) -> None:
        try:
            self.close(self._flush_timeout_seconds)
        except DeliveryError as error:
            _LOG.warning("the program ends with undelivered events", extra={"undelivered": len(error.undelivered)})
