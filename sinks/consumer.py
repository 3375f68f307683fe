"""From the topics into Postgres: take what is there, write it, go on.

Postgres says where each partition stands; the group's offsets in Kafka are only a hint for tools that show lag.
"""

from __future__ import annotations

import gc
import sys
import threading
import time

import psycopg
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from runledger.schemas.kafka_security import kafka_client
from runledger.sinks.dead_letters import DeadLetterBox, make_producer
from runledger.sinks.delivery import Delivery
from runledger.sinks.errors import InterruptedDeliveryError, StopLoudlyError
from runledger.sinks.positions import find_positions
from runledger.sinks.records import SOURCES, Partition, Record, record_of
from runledger.sinks.settings import SinkSettings
from runledger.sinks.sqlstate import decide_error, reason_of
from runledger.sinks.stopping import stop_on_signals
from runledger.sinks.vital_signs import SinkSigns
from runledger.sinks.writer import Writer
from runledger.vitals import watch
from runledger.vitals.complaints import Complaints

_log = structlog.get_logger()

_STOPPING_CODES = frozenset(
    {
        KafkaError._AUTO_OFFSET_RESET,  # the position is outside the log
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    }
)
_HEALING_CODES = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._UNKNOWN_PARTITION,  # of one that nobody leads: the client has not learnt of it
    }
)
"""Found while the positions are looked up; librdkafka calls none of these retriable there."""
_SWITCH_SECONDS = 0.0005
"""Whoever waits for the database goes on at once when it answers, whatever is folded meanwhile."""


def run_sink(settings: SinkSettings) -> None:
    """Write the topics into Postgres until SIGTERM or SIGINT.

    Raises:
        SinkError: start again, or have a person look; the message says which.
        psycopg.Error: the database is in a state that waiting does not mend.
        KafkaException: the broker reported a fatal error.
    """
    _suit_batches()
    consume(settings, stop_on_signals())


def _suit_batches() -> None:
    """Let the garbage collector look seldom: a batch is large and holds no cycles, and it took a third of the time."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def consume(settings: SinkSettings, stopping: threading.Event) -> None:
    """Write the topics into Postgres until `stopping` is set; see `run_sink`."""
    sink = Sink(settings, stopping)
    try:
        while not stopping.is_set():
            sink.step()
        sink.settle()
    finally:
        sink.close()


def make_consumer(settings: SinkSettings) -> Consumer:
    """Make the sink's member of its group."""
    committed = "read_committed" not in settings.unsafe_disable
    return Consumer(
        {
            **kafka_client(settings),
            "error_cb": Complaints(),
            "group.id": settings.group,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "session.timeout.ms": int(settings.session_timeout_seconds * 1000),
            "heartbeat.interval.ms": int(settings.session_timeout_seconds * 1000 / 5),
            "max.poll.interval.ms": int(1000 * max(settings.poll_limit_seconds, settings.session_timeout_seconds)),
            "fetch.min.bytes": 64 * 1024,
            "fetch.wait.max.ms": 25,  # or this: a transaction for every few records would take a core at 2,000 a second
            "fetch.queue.backoff.ms": 10,  # of a full queue; in the default second all of it is written
            "queued.max.messages.kbytes": 4 * 1024,  # of each partition
            "fetch.message.max.bytes": 4 * 1024 * 1024,
        }
    )


class Sink:
    """One member of the sink's group, and what it holds of its partitions.

    Args:
        settings: addresses, sizes and patience.
        stopping: set when the process is to end; a wait for the database ends with it.
    """

    def __init__(self, settings: SinkSettings, stopping: threading.Event) -> None:
        self._settings = settings
        self._stopping = stopping
        self._writer = Writer(settings)
        self._admin = AdminClient(kafka_client(settings))
        self._consumer = make_consumer(settings)
        letters = DeadLetterBox(settings, make_producer(settings))
        self._signs = SinkSigns("sink loop")
        watch(self._signs)
        self._delivery = Delivery(settings, self._writer, letters, self._keep_membership, self._signs)
        self._assigned: list[TopicPartition] = []
        self._positions: dict[Partition, int] | None = None
        """{(topic, partition): next_offset} as it stands in the database; None until it was asked."""
        self._pause_seconds = settings.retry_seconds
        self._generation = 0
        self._ends: dict[Partition, int] = {}
        self._ends_since: float | None = None
        self._suffixes = {topic.name(settings.topic_prefix): topic.suffix for topic in SOURCES}
        self._consumer.subscribe(list(self._suffixes), on_assign=self._on_assign, on_revoke=self._on_revoke)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Nothing is fetched yet: the positions stand in the database, which may be away just now.
        consumer.assign([])
        self._forget(partitions)
        _log.info("partitions_assigned", partitions=len(partitions))

    def _on_revoke(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        consumer.unassign()
        self._forget([])

    def _forget(self, partitions: list[TopicPartition]) -> None:
        """Start a new generation: what was read for the old one and not written is dropped."""
        self._delivery.drop()
        self._generation += 1
        self._assigned = partitions
        self._positions = self._signs.stands = None
        self._ends, self._ends_since = {}, None

    def step(self) -> None:
        """Take what is there, up to a transaction's worth, and have it written while the next step takes more.

        Raises:
            SinkError, psycopg.Error, KafkaException: see `run_sink`.
        """
        self._signs.beat()
        if self._positions is None and self._assigned:
            self._go_to_positions()
        records = self._take()
        positions = self._positions
        if positions is None:
            return
        ends = self._take_ends() if records or self._ends_are_due() else {}
        if not records and not ends:
            self.settle()
            return
        try:
            self._delivery.deliver(records, positions, ends)
        except InterruptedDeliveryError:
            return
        self._hint(self._delivery.take_written())

    def settle(self) -> None:
        """Wait until what was taken is written.

        Raises:
            SinkError, psycopg.Error: see `run_sink`.
        """
        try:
            self._delivery.settle()
        except InterruptedDeliveryError:
            return
        self._hint(self._delivery.take_written())

    def _go_to_positions(self) -> None:
        """Ask the database where the partitions stand, and read on from there."""
        generation = self._generation
        sources = [(assigned.topic, assigned.partition) for assigned in self._assigned]
        try:
            positions = find_positions(sources, self._writer, self._admin, self._consumer)
        except psycopg.Error as error:
            self._writer.close()
            if decide_error(error) != "retry":
                raise
            self._wait_for("database_away", reason_of(error))
            return
        except KafkaException as error:
            if not _heals(error.args[0]):
                raise
            self._wait_for("broker_away", error.args[0].name())
            return
        self._signs.back()
        self._pause_seconds = self._settings.retry_seconds
        if generation == self._generation:
            self._consumer.assign([TopicPartition(*source, it.next_offset) for source, it in positions.items()])
            self._positions = {source: position.next_offset for source, position in positions.items()}
            self._signs.stands = self._positions
            self._delivery.refusals.resume({source: position.refusals for source, position in positions.items()})

    def _wait_for(self, problem: str, reason: str) -> None:
        """Wait, as a member of the group, before the next attempt to learn the positions."""
        pause_seconds = self._pause_seconds
        self._signs.away(problem, reason)
        _log.warning(problem, reason=reason, retry_in_seconds=pause_seconds)
        self._pause_seconds = min(2 * pause_seconds, self._settings.retry_limit_seconds)
        self._keep_membership(pause_seconds)

    def _take(self) -> list[Record]:
        """Take the records that are there, up to a transaction's worth, waiting only for the first."""
        first = self._consumer.poll(self._settings.poll_seconds)
        if first is None:
            return []
        generation = self._generation
        more = self._consumer.consume(self._settings.batch_records - 1, 0)
        taken = [first, *more] if generation == self._generation else more
        return self._sort_out(taken)

    def _sort_out(self, messages: list[Message]) -> list[Record]:
        """Keep the records that follow the positions; note the ends of partitions; raise errors."""
        records: list[Record] = []
        following = self._reached()
        for message in messages:
            source = (message.topic() or "", message.partition() or 0)
            offset = message.offset() or 0
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                _refuse(message, error)
                continue
            # A rebalance within one call may hand over a record twice, or one of a partition no longer ours.
            if source not in following or offset < following[source]:
                continue
            if error is None:
                records.append(record_of(message, source, offset, self._suffixes[source[0]]))
                following[source] = offset + 1
            else:
                self._note_end(source, offset)
        return records

    def _reached(self) -> dict[Partition, int]:
        """Where the partitions stand once all that was delivered is written; nothing where they are not known."""
        return {} if self._positions is None else {**self._positions, **self._delivery.under_way}

    def _note_end(self, source: Partition, offset: int) -> None:
        """Remember that the log holds no record before `offset`: behind the last one stand transaction markers."""
        if offset > self._reached().get(source, offset):
            self._ends[source] = offset
            self._ends_since = self._ends_since or time.monotonic()

    def _ends_are_due(self) -> bool:
        """Tell whether an end has waited for records to go with it long enough for tools to see no lag."""
        return self._ends_since is not None and time.monotonic() - self._ends_since > 1

    def _take_ends(self) -> dict[Partition, int]:
        ends, self._ends, self._ends_since = self._ends, {}, None
        return ends

    def _keep_membership(self, seconds: float) -> bool:
        """Wait as a member that reads nothing; False if the partitions went or the process is to stop."""
        generation = self._generation
        assigned = self._consumer.assignment()
        self._consumer.pause(assigned)
        deadline = time.monotonic() + seconds
        try:
            while generation == self._generation and not self._stopping.is_set():
                left = deadline - time.monotonic()
                if left <= 0:
                    return True
                message = self._consumer.poll(min(left, 0.1))
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    # Fetched before the pause took hold: drop everything and read again from the positions.
                    self._consumer.assign([])
                    self._forget(self._assigned)
                elif error.code() != KafkaError._PARTITION_EOF:
                    _refuse(message, error)
        finally:
            self._consumer.resume(assigned)  # assigned anew, a partition would still be paused
        return False

    def _hint(self, sources: set[Partition]) -> None:
        """Commit the group's offsets, for tools that show lag; nobody reads from them."""
        positions = self._positions
        if positions is None or not sources:
            return
        offsets = [TopicPartition(*source, positions[source]) for source in sources if source in positions]
        self._consumer.commit(offsets=offsets, asynchronous=True)

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self._delivery.drop()
        self._consumer.close()
        self._writer.close()


def _heals(error: KafkaError) -> bool:
    """Tell whether the broker will answer in a moment: a topic just made has no leader yet, or the broker is away."""
    return error.retriable() or error.code() in _HEALING_CODES


def _refuse(message: Message, error: KafkaError) -> None:
    """Raise what cannot heal by itself; librdkafka mends lost connections alone."""
    if error.code() in _STOPPING_CODES:
        raise StopLoudlyError(error.str(), topic=message.topic() or "", partition=message.partition() or 0)
    if error.fatal():
        raise KafkaException(error)
    _log.warning("broker_error", error=error.name())
