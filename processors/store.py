"""The state of one source partition and the transactional producer that owns it (ADR 1).

Who holds the un-fenced producer owns the partition. Opening a store fences every earlier owner and ends its
transaction; then the committed changelog and the position are read. Each batch is one Kafka transaction, and only after
its commit does memory take the new values.
"""

from __future__ import annotations

import random
import time
import uuid
from typing import Generic, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicCollection
from confluent_kafka.admin import AdminClient

from runledger.processors.dedupe import event_hash
from runledger.processors.errors import StopLoudly, StoreLost
from runledger.processors.fold import Stage
from runledger.processors.reading import PartitionReader
from runledger.processors.records import ERASED, Changes, Tombstone, log_time
from runledger.processors.settings import ProcessorSettings
from runledger.processors.settings_follower import SettingsFollower
from runledger.processors.state import PartitionState
from runledger.schemas.codec import decode, encode
from runledger.schemas.dead_letters import REASON, headers_of
from runledger.schemas.errors import DecodeError
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.quick_records import write_record
from runledger.schemas.snapshots import Position
from runledger.schemas.topics import DEAD_LETTERS, PARTITIONER, RUN_EVENTS
from runledger.vitals import count, observe
from runledger.vitals.metrics import RECOVERY_RECORDS, RECOVERY_SECONDS

S = TypeVar("S")

_TIMEOUT_SECONDS = 30
_LOOK_SECONDS = 3
_RETRY_MS = 5
"""The broker refuses a transaction while it still ends the last one, for a few milliseconds; the default waits 100."""
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
_BY_KEY = -1
"""librdkafka's RD_KAFKA_PARTITION_UA: the partitioner chooses."""
_log = structlog.get_logger()


class Broker:
    """What all stores of a process share: addresses, an admin client, and the name of the group they belong to.

    Args:
        settings: shared by all stores.
        follower: of the settings topic, which no store may fold without; None for stages that have no use for it.
    """

    def __init__(self, settings: ProcessorSettings, follower: SettingsFollower | None = None) -> None:
        self.settings = settings
        self.follower = follower
        self.group = f"{settings.topic_prefix}processors"
        self.admin = AdminClient(kafka_client(settings))

    def answers(self) -> bool:
        """Whether a broker answers, within seconds."""
        try:
            self.admin.list_topics(RUN_EVENTS.name(self.settings.topic_prefix), timeout=_LOOK_SECONDS)
        except KafkaException:
            return False
        return True

    def identify(self, topic: str) -> tuple[str, int]:
        """(topic id, number of partitions): a topic that was deleted and made again has another id."""
        described = self.admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_SECONDS)
        facts = described[topic].result()
        return str(facts.topic_id), len(facts.partitions)

    def reader(self) -> PartitionReader:
        """Make a reader of committed records."""
        committed = "read_committed" not in self.settings.unsafe_disable
        return PartitionReader(self.settings, read_committed=committed)

    def producer(self, transactional_id: str) -> Producer:
        """Make the producer that owns a partition."""
        if "fencing" in self.settings.unsafe_disable:
            transactional_id = f"{transactional_id}-{uuid.uuid4().hex}"
        return Producer(
            {
                **kafka_client(self.settings),
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(self.settings.transaction_timeout_seconds * 1000),
                "linger.ms": 0,
                "retry.backoff.ms": _RETRY_MS,
                "compression.type": "lz4",
                "partitioner": PARTITIONER,
                "message.max.bytes": DEAD_LETTERS.max_message_bytes,
                "queue.buffering.max.messages": 1_000_000,
            }
        )


class PartitionStore(Generic[S]):
    """One source partition's committed state, and the right to change it.

    Args:
        broker: shared by all stores of the process.
        stage: which processor's store.
        partition: number of the source partition; its changelog and positions have the same number.
    """

    def __init__(self, broker: Broker, stage: Stage[S], partition: int) -> None:
        self._broker = broker
        self._stage = stage
        self.partition = partition
        self._producer: Producer | None = None
        self._reader: PartitionReader | None = None
        self._identity = ("", 0)
        self._changelog_id = ""
        window = 0 if "dedupe" in broker.settings.unsafe_disable else broker.settings.dedupe_window_records
        self.held: PartitionState[S] = PartitionState(
            stage.due_at, window, broker.settings.state_bytes, broker.settings.dead_letter_limits
        )

    @property
    def records_read(self) -> int:
        """How many records were read to open it, so far."""
        reader = self._reader
        return 0 if reader is None else reader.records_read

    def open(self) -> PartitionStore[S]:
        """Fence every earlier owner, then restore what is committed.

        Raises:
            StoreLost: the broker did not let us in; try again while the partition is assigned.
            StopLoudly: the topic was recreated or re-partitioned, the position is missing beside a changelog that holds
                records, the changelog was emptied or recreated or holds what cannot be read, or the log no longer
                reaches back to the position.
        """
        began = time.monotonic()
        name = f"{self._broker.group}-{self._stage.name}-{self.partition}"
        try:
            producer = self._broker.producer(name)
            producer.init_transactions(_TIMEOUT_SECONDS)
            self._producer = producer
            self._wait_for_settings()
            self._identity = self._broker.identify(self._stage.source)
            self._changelog_id, _ = self._broker.identify(self._stage.changelog)
            with self._broker.reader() as reader:
                self._reader = reader
                self._restore(reader)
        except KafkaException as error:
            raise self._lost("could not be opened", error) from error
        seconds = time.monotonic() - began
        observe(RECOVERY_SECONDS, seconds, self._stage.name)
        count(RECOVERY_RECORDS, self.records_read, self._stage.name)
        _log.info(
            "store_opened",
            stage=self._stage.name,
            seconds=round(seconds, 3),
            partition=self.partition,
            next_offset=self.held.next_offset,
            states=len(self.held.states),
            seen=len(self.held.seen),
        )
        return self

    def _wait_for_settings(self) -> None:
        """Judge no run by a default while an operator has said otherwise: first the settings, then the states."""
        follower = self._broker.follower
        if follower is not None and not follower.wait_until_read(_TIMEOUT_SECONDS):
            raise self._lost("could not be opened: the settings topic is not read yet", None)
        self.held.policy_revision = self._stage.policy_revision

    def _restore(self, reader: PartitionReader) -> None:
        low, high = reader.bounds(self._stage.source, self.partition)
        position = reader.last(self._stage.positions, self.partition)
        states, records = self._read_states(reader)
        if position is None:
            if records:
                raise self._stop(f"{self._stage.changelog} holds {records} records but no position stands beside it")
            if low > 0:
                raise self._stop(f"the log begins at {low}, and no position says what was folded before")
            return
        for key in list(states):  # the oldest first: timers are filed soonest in the order of their times
            value = states.pop(key)  # each in one form at a time: a million of them take gigabytes
            self.held.put(key, self._restored(key, value), len(value))
        stood = self._position(position)
        if stood.changelog_id not in {"", self._changelog_id}:
            raise self._stop(
                f"{self._stage.changelog} was recreated: the states of {stood.next_offset} offsets are gone"
            )
        self.held.next_offset = self._check(stood, low, high)
        self.held.rejected = stood.rejected
        self.held.refusals = stood.refusals
        if self._stage.deduplicates and self.held.seen.size:
            self._read_back(reader, low)

    def _restored(self, key: bytes, value: bytes) -> S:
        try:
            return self._stage.restore(value)
        except DecodeError as error:
            whose = key.decode(errors="backslashreplace")
            raise self._stop(f"{self._stage.changelog} holds a state that cannot be read, {whose}: {error}") from error

    def _position(self, value: bytes) -> Position:
        try:
            return decode(Position, value)
        except DecodeError as error:
            raise self._stop(f"{self._stage.positions} holds a position that cannot be read: {error}") from error

    def _read_states(self, reader: PartitionReader) -> tuple[dict[bytes, bytes], int]:
        """Read the changelog: its last value for each key that has no tombstone, and how many records stand in it."""
        states: dict[bytes, bytes] = {}

        def take(message: Message) -> None:
            key, value = message.key() or b"", message.value()
            if value is None:
                states.pop(key, None)
            else:
                states[key] = value

        begin, end = reader.bounds(self._stage.changelog, self.partition)
        if begin > 0:  # compaction never moves the beginning
            raise self._stop(f"{self._stage.changelog} was emptied: it begins at {begin}, so states are gone")
        return states, reader.read(self._stage.changelog, self.partition, begin, end, take)

    def _check(self, position: Position, low: int, high: int) -> int:
        if (position.topic_id, position.partition_count) != self._identity:
            raise self._stop(
                f"the topic was recreated or re-partitioned: the position speaks of {position.topic_id} with "
                f"{position.partition_count} partitions, the broker of {self._identity[0]} with {self._identity[1]}"
            )
        if not low <= position.next_offset <= high:
            raise self._stop(f"the position is {position.next_offset}, but the log holds {low} to {high}")
        return position.next_offset

    def _read_back(self, reader: PartitionReader, low: int) -> None:
        """Read the window before the position, so that repeats are found as if we had never stopped."""
        seen: dict[int, int] = {}
        rejected = set(self.held.rejected)

        def take(message: Message) -> None:
            offset = message.offset() or 0
            event = event_hash(message.key(), message.value(), headers_of(message.headers))
            if event is not None and offset not in rejected:
                seen[event] = offset
            self.held.saw(log_time(message.timestamp()[1]))

        end = self.held.next_offset
        reader.read(self._stage.source, self.partition, max(low, end - self.held.seen.size), end, take)
        self.held.seen.add(seen, end)

    def commit(self, changes: Changes[S]) -> bool:
        """Write the changes as one transaction; afterwards memory holds them.

        Returns:
            False where a test had the transaction aborted: nothing has changed.

        Raises:
            StoreLost: the transaction failed, or another owner has fenced this one; memory no longer counts.
            StopLoudly: a record is too large for its topic, and would be however often it is tried.
        """
        producer = self._producer
        if producer is None:
            raise self._lost("is closed", None)
        try:
            producer.begin_transaction()
            self._produce(producer, changes)
            if random.random() < self._broker.settings.unsafe_abort_ratio:  # noqa: S311  # a test's coin
                producer.flush(_TIMEOUT_SECONDS)
                producer.abort_transaction(_TIMEOUT_SECONDS)
                _log.warning("transaction_aborted", stage=self._stage.name, partition=self.partition)
                return False
            producer.commit_transaction(_TIMEOUT_SECONDS)
        except (KafkaException, BufferError) as error:
            if error.args and isinstance(error.args[0], KafkaError) and error.args[0].code() in _TOO_LARGE:
                raise self._stop(f"a record is too large to be written: {error.args[0].str()}") from error
            raise self._lost("lost its transaction", error) from error
        self.held.take(changes)
        return True

    def _produce(self, producer: Producer, changes: Changes[S]) -> None:
        for key, state in changes.snapshots.items():
            if isinstance(state, Tombstone):
                self._produce_tombstone(producer, key, state)
            else:
                if key in changes.erased:  # erased and heard of again in one batch: what readers have has to go first
                    self._produce_tombstone(producer, key, ERASED)
                value = write_record(state)
                changes.sizes[key] = len(value)
                producer.produce(self._stage.changelog, value, key, partition=self.partition)
        for output in changes.outputs:
            partition = _BY_KEY if output.partition is None else output.partition
            producer.produce(output.topic, output.value, output.key, partition, headers=list(output.headers))
        if changes.next_offset is not None:
            self._produce_position(producer, changes, changes.next_offset)

    def _produce_tombstone(self, producer: Producer, key: bytes, gone: Tombstone) -> None:
        headers: dict[str, str | bytes | None] = {REASON: gone.reason}
        producer.produce(self._stage.changelog, None, key, partition=self.partition, headers=headers)

    def _produce_position(self, producer: Producer, changes: Changes[S], next_offset: int) -> None:
        topic_id, partition_count = self._identity
        rejected = self.held.rejected_with(changes, next_offset)
        position = Position(
            self._stage.name,
            self.partition,
            next_offset,
            topic_id,
            partition_count,
            rejected,
            changes.refusals,
            self._changelog_id,
        )
        key = f"{self._stage.name}/{self.partition}"
        producer.produce(self._stage.positions, encode(position), key, partition=self.partition)

    def close(self) -> None:
        """Give up the producer; a transaction that is open ends when the next owner opens its store."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()

    def _stop(self, message: str) -> StopLoudly:
        return StopLoudly(message, topic=self._stage.source, partition=self.partition)

    def _lost(self, message: str, error: BaseException | None) -> StoreLost:
        cause = error.args[0] if error is not None and error.args else None
        why = cause.name() if isinstance(cause, KafkaError) else str(error or "")
        return StoreLost(
            f"the store {message}{': ' if why else ''}{why}", topic=self._stage.source, partition=self.partition
        )
