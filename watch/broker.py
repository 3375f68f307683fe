"""What the broker knows: where logs end, where the processors stand, and whether a span of a log holds records."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence, Sized

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from runledger.schemas.codec import decode
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.snapshots import Position
from runledger.schemas.topics import AGENT_POSITIONS, RUN_EVENTS, RUN_OUTCOMES, RUN_POSITIONS, Topic
from runledger.watch.probe import Partition, Span
from runledger.watch.settings import WatchSettings

_POSITIONS = {RUN_EVENTS: RUN_POSITIONS, RUN_OUTCOMES: AGENT_POSITIONS}
"""{source of a stage: its positions topic}."""
_POLL_SECONDS = 0.2
_QUIET = 2
"""Critical only: that the broker is away we say ourselves, once, and as JSON."""


class Broker:
    """Asks Kafka; every answer is waited for no longer than `request_seconds`.

    Raises, in every method:
        KafkaException: the broker refused, or cannot be reached.
        TimeoutError: it does not answer.
    """

    def __init__(self, settings: WatchSettings) -> None:
        self._prefix = settings.topic_prefix
        self._seconds = settings.request_seconds
        self._admin = AdminClient({**kafka_client(settings), "log_level": _QUIET})
        self._consumer = _make_consumer(settings)
        self._group = _make_onlooker(settings)
        self._reading, self._closing = threading.Lock(), False
        self._partitions: dict[str, list[Partition]] = {}
        self._expired: dict[Partition, int] = {}
        """Positions of partitions for which the group has no offset."""

    async def close(self) -> None:
        """End the consumer, after the read that is under way."""
        self._closing = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._reading:
            self._consumer.close()
            self._group.close()

    def forget(self) -> None:
        """Ask for the topics' partitions again: one may have been made anew while the broker was away."""
        self._partitions, self._expired = {}, {}

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

    async def stage_positions(self, stage: Topic) -> dict[Partition, int]:
        """{(topic, partition): next_offset} of the stage that reads this topic.

        The group's offsets follow the stage's transactions, a tenth of a second behind at most. They expire when nobody
        has run for long; then the stage's own record of its position says it.
        """
        sources = await self._sources([stage])
        positions = await asyncio.to_thread(self._committed, sources)
        unknown = [source for source in sources if source not in positions and source not in self._expired]
        if unknown:
            # Whoever opens a store tells its position at once: while the group has no offset, the record stays so.
            self._expired |= await asyncio.to_thread(
                self._read_positions, unknown, _POSITIONS[stage].name(self._prefix)
            )
        return {source: self._expired[source] for source in sources if source in self._expired} | positions

    def _committed(self, sources: Sequence[Partition]) -> dict[Partition, int]:
        positions: dict[Partition, int] = {}
        with self._reading:
            for held in self._group.committed([TopicPartition(*source) for source in sources], timeout=self._seconds):
                if held.error is not None:
                    raise KafkaException(held.error)
                if held.offset >= 0:
                    positions[held.topic, held.partition] = held.offset
        return positions

    def _read_positions(self, sources: Sequence[Partition], topic: str) -> dict[Partition, int]:
        """Read the newest position record of each of these partitions; 0 where there is none."""
        found = dict.fromkeys(sources, 0)
        by_number = {number: (name, number) for name, number in sources}
        left = set(by_number)
        for message in self._read([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left], left):
            value = message.value()
            if message.error() is None and value is not None:
                found[by_number[message.partition() or 0]] = decode(Position, value).next_offset
            elif message.error() is not None:
                left.discard(message.partition() or 0)
        return found

    async def find_empty(self, spans: Mapping[Partition, Span]) -> dict[Partition, Span]:
        """Return those spans that hold no record, only markers and what was aborted; none with an open transaction."""
        return await asyncio.to_thread(self._find_empty, spans)

    def _find_empty(self, spans: Mapping[Partition, Span]) -> dict[Partition, Span]:
        left = dict(spans)
        empty: dict[Partition, Span] = {}
        for message in self._read([TopicPartition(*source, span[0]) for source, span in spans.items()], left):
            source = message.topic() or "", message.partition() or 0
            span = left.pop(source, None)
            # The first thing that is seen says it: a record, or the end of what is committed.
            if span is not None and (message.offset() or 0) >= span[1]:
                empty[source] = span
        return empty

    def _read(self, places: list[TopicPartition], left: Sized) -> Iterator[Message]:
        """Give the records from these places on, and the ends of partitions, until nothing is left to find."""
        deadline = time.monotonic() + self._seconds
        with self._reading:
            self._consumer.assign(places)
            try:
                while left:
                    message = self._consumer.poll(_POLL_SECONDS)
                    if message is None:
                        if self._closing or time.monotonic() > deadline:
                            raise TimeoutError(f"{len(left)} partitions were not read in {self._seconds} s")
                        continue
                    error = message.error()
                    if error is not None and error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    yield message
            finally:
                self._consumer.unassign()


def _make_consumer(settings: WatchSettings) -> Consumer:
    """Make a consumer outside any group that sees what is committed, and takes little at once."""
    return Consumer(
        {
            **kafka_client(settings),
            "group.id": f"{settings.topic_prefix}watch-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
            "fetch.message.max.bytes": 64 * 1024,
            "queued.min.messages": 1,
            "log_level": _QUIET,
        }
    )


def _make_onlooker(settings: WatchSettings) -> Consumer:
    """Make a consumer that asks for the processors' offsets and never joins them.

    The admin client asks too, but while the broker goes away it aborts the process (librdkafka, issue 4605).
    """
    return Consumer(
        {
            **kafka_client(settings),
            "group.id": f"{settings.topic_prefix}processors",
            "enable.auto.commit": False,
            # What is pending in an open transaction is not waited for.
            "isolation.level": "read_uncommitted",
            "log_level": _QUIET,
        }
    )
