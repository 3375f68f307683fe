"""What the broker knows: where logs end, where the processors stand, and whether a span of a log holds records."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from runledger.schemas.codec import decode
from runledger.schemas.snapshots import Position
from runledger.schemas.topics import AGENT_POSITIONS, RUN_EVENTS, RUN_OUTCOMES, RUN_POSITIONS, Topic
from runledger.watch.probe import Partition, Span
from runledger.watch.settings import WatchSettings

_POSITIONS = {RUN_EVENTS: RUN_POSITIONS, RUN_OUTCOMES: AGENT_POSITIONS}
"""{source of a stage: its positions topic}."""


class Broker:
    """Asks Kafka; every answer is waited for no longer than `request_seconds`.

    Raises, in every method:
        KafkaException: the broker refused, or cannot be reached.
        TimeoutError: it does not answer.
    """

    def __init__(self, settings: WatchSettings) -> None:
        self._prefix = settings.topic_prefix
        self._seconds = settings.request_seconds
        self._group = f"{settings.topic_prefix}processors"
        self._admin = AdminClient({"bootstrap.servers": settings.kafka})
        self._consumer = _make_consumer(settings)
        self._partitions: dict[str, list[Partition]] = {}

    async def close(self) -> None:
        """End the consumer."""
        await asyncio.to_thread(self._consumer.close)

    def forget(self) -> None:
        """Ask for the topics' partitions again: one may have been made anew while the broker was away."""
        self._partitions = {}

    async def ends(self, topics: Sequence[Topic]) -> dict[Partition, int]:
        """{(topic, partition): end of the log}, with what stands in open transactions."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its only untyped name
        wanted = {TopicPartition(*source): latest for source in await self._sources(topics)}
        asked = self._admin.list_offsets(
            wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=self._seconds
        )
        async with asyncio.timeout(self._seconds):
            answers = await asyncio.gather(*(asyncio.wrap_future(answer) for answer in asked.values()))
        return {
            (asked_for.topic, asked_for.partition): answer.offset
            for asked_for, answer in zip(asked, answers, strict=True)
        }

    async def _sources(self, topics: Sequence[Topic]) -> list[Partition]:
        names = [topic.name(self._prefix) for topic in topics]
        unknown = [name for name in names if name not in self._partitions]
        if unknown:
            asked = self._admin.describe_topics(TopicCollection(unknown), request_timeout=self._seconds)
            async with asyncio.timeout(self._seconds):
                for name, answer in asked.items():
                    described = await asyncio.wrap_future(answer)
                    self._partitions[name] = [(name, facts.id) for facts in described.partitions]
        return [source for name in names for source in self._partitions[name]]

    async def stage_positions(self, source: Topic) -> dict[Partition, int]:
        """{(topic, partition): next_offset} of the stage that reads `source`.

        The group's offsets are committed in the stage's own transactions. They expire when nobody has run for long;
        then the stage's own record of its position says it.
        """
        sources = await self._sources([source])
        wanted = ConsumerGroupTopicPartitions(self._group, [TopicPartition(*partition) for partition in sources])
        asked = self._admin.list_consumer_group_offsets([wanted], request_timeout=self._seconds)[self._group]
        async with asyncio.timeout(self._seconds):
            answer = await asyncio.wrap_future(asked)
        positions: dict[Partition, int] = {}
        for held in answer.topic_partitions:
            if held.error is not None:
                raise KafkaException(held.error)
            if held.offset >= 0:
                positions[held.topic, held.partition] = held.offset
        expired = [number for name, number in sources if (name, number) not in positions]
        if expired:
            found = await asyncio.to_thread(self._read_positions, _POSITIONS[source].name(self._prefix), expired)
            positions |= {(source.name(self._prefix), number): offset for number, offset in found.items()}
        return positions

    def _read_positions(self, topic: str, numbers: Sequence[int]) -> dict[int, int]:
        """Read the newest position record of each of these partitions, where there is one."""
        found: dict[int, int] = {}
        deadline = time.monotonic() + self._seconds
        for number in numbers:
            place = TopicPartition(topic, number)
            low, high = self._consumer.get_watermark_offsets(place, timeout=self._seconds)
            if low == high:
                continue
            place.offset = low
            self._consumer.assign([place])
            while True:
                message = self._consumer.poll(max(0.0, deadline - time.monotonic()))
                if message is None:
                    raise TimeoutError(f"{topic}/{number} was not read to its end in {self._seconds} s")
                error = message.error()
                value = message.value()
                if error is None and value is not None:
                    found[number] = decode(Position, value).next_offset
                elif error is not None:
                    _refuse(error)
                    break
        self._consumer.unassign()
        return found

    async def find_empty(self, spans: Mapping[Partition, Span]) -> dict[Partition, Span]:
        """Return those spans that hold no record, only markers and what was aborted; none with an open transaction."""
        return await asyncio.to_thread(self._find_empty, spans)

    def _find_empty(self, spans: Mapping[Partition, Span]) -> dict[Partition, Span]:
        left = dict(spans)
        empty: dict[Partition, Span] = {}
        deadline = time.monotonic() + self._seconds
        self._consumer.assign([TopicPartition(*source, span[0]) for source, span in spans.items()])
        try:
            while left:
                message = self._consumer.poll(max(0.0, deadline - time.monotonic()))
                if message is None:
                    raise TimeoutError(f"{len(left)} partitions were not read in {self._seconds} s")
                error = message.error()
                if error is not None:
                    _refuse(error)
                source = message.topic() or "", message.partition() or 0
                span = left.pop(source, None)
                # The first thing that is seen says it: a record, or the end of what is committed.
                if span is not None and (message.offset() or 0) >= span[1]:
                    empty[source] = span
        finally:
            self._consumer.unassign()
        return empty


def _refuse(error: KafkaError) -> None:
    """Raise every error but the end of a partition.

    Raises:
        KafkaException: it is another error.
    """
    if error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)


def _make_consumer(settings: WatchSettings) -> Consumer:
    """Make a consumer outside any group that sees what is committed, and takes little at once."""
    return Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": f"{settings.topic_prefix}watch-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
            "fetch.message.max.bytes": 64 * 1024,
            "queued.min.messages": 1,
        }
    )
