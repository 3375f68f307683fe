"""The state of one source partition and the transactional producer that owns it (ADR 1).

Who holds the un-fenced producer owns the partition. Opening a store fences every earlier owner and ends its
transaction; then what is committed is read. Each batch is one Kafka transaction, and only after its commit does memory
take the new values.
"""

from __future__ import annotations

import random
import time
from typing import Generic, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from runledger.processors.broker import Broker
from runledger.processors.errors import StopLoudly, StoreLost
from runledger.processors.fold import Stage
from runledger.processors.reading import PartitionReader
from runledger.processors.records import ERASED, Changes, Tombstone
from runledger.processors.restoring import Identity, Restorer
from runledger.processors.state import PartitionState
from runledger.schemas.codec import encode
from runledger.schemas.dead_letters import REASON
from runledger.schemas.quick_records import write_record
from runledger.schemas.snapshots import Position
from runledger.vitals import count, observe
from runledger.vitals.metrics import RECOVERY_RECORDS, RECOVERY_SECONDS

S = TypeVar("S")

_TIMEOUT_SECONDS = 30
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
_BY_KEY = -1
"""librdkafka's RD_KAFKA_PARTITION_UA: the partitioner chooses."""
_log = structlog.get_logger()


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
        self._identity = Identity("", 0, "")
        self.held: PartitionState[S] = self._nothing()

    def _nothing(self) -> PartitionState[S]:
        settings = self._broker.settings
        window = 0 if "dedupe" in settings.unsafe_disable else settings.dedupe_window_records
        return PartitionState(self._stage.due_at, window, settings.state_bytes, settings.dead_letter_limits)

    def _hold_nothing(self) -> PartitionState[S]:
        """Hold an empty state; its keys will be filed by the policies that were waited for."""
        policy_revision = self.held.policy_revision
        self.held = self._nothing()
        self.held.policy_revision = policy_revision
        return self.held

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
            topic_id, partition_count = self._broker.identify(self._stage.source)
            changelog_id, _ = self._broker.identify(self._stage.changelog)
            self._identity = Identity(topic_id, partition_count, changelog_id)
            with self._broker.reader() as reader:
                self._reader = reader
                Restorer(self._stage, self.partition, self._identity, reader, self._hold_nothing).restore()
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
        rejected = self.held.rejected_with(changes, next_offset)
        position = Position(
            self._stage.name,
            self.partition,
            next_offset,
            self._identity.topic_id,
            self._identity.partition_count,
            rejected,
            changes.refusals,
            self._identity.changelog_id,
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
