"""What stands in the topics, and who has read how far; a reader of the tests' own, outside every group."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import Topic

_ANSWER_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Logged:
    """One record and where it stands."""

    partition: int
    offset: int
    logged_at: datetime
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes | None]


def _consumer(settings: ConnectionSettings, group: str, *, committed: bool) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "fetch.queue.backoff.ms": 5,
        }
    )


def read_topic(settings: ConnectionSettings, topic: Topic, *, committed: bool = True) -> list[Logged]:
    """Read all partitions from their beginning to their end, partition by partition."""
    records = walk_topic(settings, topic, committed=committed)
    return sorted(records, key=lambda record: (record.partition, record.offset))


def walk_topic(settings: ConnectionSettings, topic: Topic, *, committed: bool = True) -> Iterator[Logged]:
    """Give the records of all partitions from their beginning to their end; each partition's in order."""
    consumer = _consumer(settings, f"read-{uuid.uuid4().hex}", committed=committed)
    open_partitions = set(range(settings.partitions))
    try:
        name = topic.name(settings.topic_prefix)
        consumer.assign([TopicPartition(name, number, 0) for number in open_partitions])
        while open_partitions:
            for message in consumer.consume(10_000, 0.1):
                error = message.error()
                if error is None:
                    yield _logged(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(message.partition() or 0)
                elif error.fatal():
                    raise KafkaException(error)
    finally:
        consumer.close()


def _logged(message: Message) -> Logged:
    headers: Any = message.headers() or []
    logged_at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
    return Logged(
        message.partition() or 0, message.offset() or 0, logged_at, message.key(), message.value(), dict(headers)
    )


class Positions:
    """How far the logs reach, and how far the processors' group has come."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._reader = _consumer(settings, f"{settings.topic_prefix}processors", committed=False)

    def ends(self, topics: Iterable[Topic]) -> dict[tuple[str, int], int]:
        """Return {(topic, partition): end of the log}."""
        return {
            (name, number): self._reader.get_watermark_offsets(TopicPartition(name, number), _ANSWER_SECONDS)[1]
            for name in (topic.name(self._settings.topic_prefix) for topic in topics)
            for number in range(self._settings.partitions)
        }

    def processed(self, topics: Iterable[Topic]) -> dict[tuple[str, int], int]:
        """Return {(topic, partition): next offset} of the processors."""
        asked = [
            TopicPartition(topic.name(self._settings.topic_prefix), number)
            for topic in topics
            for number in range(self._settings.partitions)
        ]
        found = self._reader.committed(asked, _ANSWER_SECONDS)
        return {(one.topic, one.partition): max(0, one.offset) for one in found}

    def is_behind(self, source: tuple[str, int], next_offset: int) -> bool:
        """Whether a committed record stands at an offset or after it: what ends a log may be markers alone."""
        reader = _consumer(self._settings, f"read-{uuid.uuid4().hex}", committed=True)
        try:
            reader.assign([TopicPartition(*source, next_offset)])
            while (message := reader.poll(_ANSWER_SECONDS)) is not None:
                error = message.error()
                if error is None or error.code() == KafkaError._PARTITION_EOF:
                    return error is None
        finally:
            reader.close()
        return True

    def close(self) -> None:
        """Let go of the broker."""
        self._reader.close()
