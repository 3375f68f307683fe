"""Dead letters of the sink: sent and acknowledged before the position moves past the record."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import structlog
from confluent_kafka import KafkaError, Message, Producer

from runledger.schemas.dead_letters import DeadLetter
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.topics import DEAD_LETTERS, PARTITIONER
from runledger.sinks.errors import DeliveryError
from runledger.sinks.settings import SinkSettings

_log = structlog.get_logger()

_SLICE_SECONDS = 0.5
_STOPPING_SECONDS = 4.0


def make_producer(settings: SinkSettings) -> Producer:
    """Make a producer whose success means the broker's acknowledgement, and whose keys stand where everybody's do."""
    return Producer(
        {
            **kafka_client(settings),
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "lz4",
            "linger.ms": 5,
            "partitioner": PARTITIONER,
            "message.max.bytes": DEAD_LETTERS.max_message_bytes,
            "delivery.timeout.ms": int(settings.delivery_timeout_seconds * 1000),
        }
    )


class Deliveries:
    """Counts acknowledgements: only an error-free report means delivered."""

    def __init__(self, producer: Producer, timeout_seconds: float) -> None:
        self._producer = producer
        self._timeout_seconds = timeout_seconds
        self._waiting = 0
        self._failures: list[str] = []

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]] = ()
    ) -> None:
        """Hand a record to the producer; where its queue is full, wait for room."""
        while True:
            try:
                self._producer.produce(topic, value, key, headers=list(headers), on_delivery=self._report)
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._waiting += 1
                return

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        self._waiting -= 1
        if error is not None:
            self._failures.append(error.name())

    def confirm(self, stopping: threading.Event | None = None) -> None:
        """Wait until everything sent is acknowledged.

        Args:
            stopping: once it is set, the wait is short: the broker may be away.

        Raises:
            DeliveryError: something was refused, or not acknowledged in time.
        """
        left_seconds = self._timeout_seconds + 5
        while left_seconds > 0 and self._producer.flush(_SLICE_SECONDS):
            left_seconds -= _SLICE_SECONDS
            if stopping is not None and stopping.is_set():
                left_seconds = min(left_seconds, _STOPPING_SECONDS)
        if self._failures or self._waiting:
            raise DeliveryError(f"{self._waiting} unacknowledged, refused: {', '.join(sorted(set(self._failures)))}")


class DeadLetterBox:
    """Sends dead letters.

    Args:
        settings: prefix and time limits.
        producer: of `make_producer`.
    """

    def __init__(self, settings: SinkSettings, producer: Producer) -> None:
        self._topic = DEAD_LETTERS.name(settings.topic_prefix)
        self._timeout_seconds = settings.delivery_timeout_seconds
        self._producer = producer

    def send(self, letters: Iterable[DeadLetter]) -> None:
        """Send letters and wait for the acknowledgement.

        Raises:
            DeliveryError: they may not be in the log; do not move past their records.
        """
        deliveries = Deliveries(self._producer, self._timeout_seconds)
        for letter in letters:
            deliveries.send(self._topic, letter.key, letter.value, letter.headers())
            _log.warning(
                "dead_lettered",
                reason=letter.reason,
                topic=letter.topic,
                partition=letter.partition,
                offset=letter.offset,
            )
        deliveries.confirm()
