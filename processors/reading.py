"""Read a span of one partition, committed records only, to a known end."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from types import TracebackType

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings

_TIMEOUT_SECONDS = 20
_CHUNK = 5000
_QUEUED_KIB = 4096
"""librdkafka's default of 64 MiB is per reader: eight stores that opened at once took 870 MiB, with this 260."""


class PartitionReader:
    """A consumer outside any group that reads partitions from an offset to another.

    Args:
        settings: where the broker is, and with what the names of groups begin.
        read_committed: false only in tests.

    Raises, in every method:
        KafkaException: the broker did not answer, or refused.
    """

    def __init__(self, settings: ConnectionSettings, *, read_committed: bool = True) -> None:
        self.records_read = 0
        """In all reads so far, counted chunk by chunk: who waits for this reader sees that it goes on."""
        self._consumer = Consumer(
            {
                **kafka_client(settings),
                "group.id": f"{settings.topic_prefix}reader-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed" if read_committed else "read_uncommitted",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.queue.backoff.ms": 5,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": _QUEUED_KIB,
            }
        )

    def __enter__(self) -> PartitionReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """(first offset held, end of the log)."""
        low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_SECONDS)
        return low, high

    def read(self, topic: str, partition: int, start: int, end: int, take: Callable[[Message], None]) -> int:
        """Hand every committed record of [start, end) to `take`; return how many there were.

        Whoever wrote transactions into the span must have ended them: the read waits until it may see the end.
        """
        if start >= end:
            return 0
        self._consumer.assign([TopicPartition(topic, partition, start)])
        count = 0
        try:
            while True:
                messages = self._consumer.consume(_CHUNK, 0.05)
                self.records_read += len(messages)
                for message in messages:
                    error = message.error()
                    if error is None:
                        if (message.offset() or 0) >= end:
                            return count
                        count += 1
                        take(message)
                    elif error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    elif (message.offset() or 0) >= end:
                        return count
        finally:
            self._consumer.unassign()

    def last(self, topic: str, partition: int) -> bytes | None:
        """Value of the last committed record: the tail is read, further back only while it holds none."""
        low, high = self.bounds(topic, partition)
        found: list[bytes | None] = []
        for back in (50, 2000, high - low):
            start = max(low, high - back)
            self.read(topic, partition, start, high, lambda message: found.append(message.value()))
            if found or start == low:
                break
        return found[-1] if found else None
