"""What is committed of one source partition, read back into memory: states, position, seen window (ADR 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from confluent_kafka import Message

from runledger.processors.dedupe import event_hash
from runledger.processors.errors import StopLoudly
from runledger.processors.fold import Stage
from runledger.processors.reading import PartitionReader
from runledger.processors.records import log_time
from runledger.processors.state import PartitionState
from runledger.schemas.codec import decode
from runledger.schemas.dead_letters import headers_of
from runledger.schemas.errors import DecodeError
from runledger.schemas.snapshots import Position

S = TypeVar("S")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Identity:
    """Which topics a store stands on; every position names them, and holds for no others.

    Args:
        topic_id: of the source.
        partition_count: of the source.
        changelog_id: topic id of the changelog.
    """

    topic_id: str
    partition_count: int
    changelog_id: str


class Restorer(Generic[S]):
    """Reads what is committed of one source partition.

    Args:
        stage: which processor's state.
        partition: number of the source partition; its changelog and positions have the same number.
        identity: of the topics as the broker knows them now.
        reader: of committed records.
        empty: gives the state to fill, a new one for each attempt.
    """

    def __init__(
        self,
        stage: Stage[S],
        partition: int,
        identity: Identity,
        reader: PartitionReader,
        empty: Callable[[], PartitionState[S]],
    ) -> None:
        self._stage = stage
        self._partition = partition
        self._identity = identity
        self._reader = reader
        self._empty = empty
        self._held = empty()

    def restore(self) -> None:
        """Fill the state; where something is wrong, look once more.

        Of a process that was stopped meanwhile (SIGSTOP, a paused machine) and whose heir went on, one topic was read
        before that and another after. Fenced it is either way, but only what is still wrong needs a person.

        Raises:
            StopLoudly: what is committed does not fit together; see `PartitionStore.open`.
            KafkaException: the broker did not answer, or refused.
        """
        try:
            self._attempt()
        except StopLoudly as found:
            _log.warning("restored_again", stage=self._stage.name, partition=self._partition, error=str(found))
            self._held = self._empty()
            self._attempt()

    def _attempt(self) -> None:
        low, high = self._reader.bounds(self._stage.source, self._partition)
        position = self._reader.last(self._stage.positions, self._partition)
        states, records = self._read_states()
        if position is None:
            if records:
                raise self._stop(f"{self._stage.changelog} holds {records} records but no position stands beside it")
            if low > 0:
                raise self._stop(f"the log begins at {low}, and no position says what was folded before")
            return
        for key in list(states):  # the oldest first: timers are filed soonest in the order of their times
            value = states.pop(key)  # each in one form at a time: a million of them take gigabytes
            self._held.put(key, self._state(key, value), len(value))
        stood = self._position(position)
        self._check(stood, low, high)
        self._held.next_offset = stood.next_offset
        self._held.rejected = stood.rejected
        self._held.refusals = stood.refusals
        if self._stage.deduplicates and self._held.seen.size:
            self._read_back(low)

    def _read_states(self) -> tuple[dict[bytes, bytes], int]:
        """Read the changelog: its last value for each key that has no tombstone, and how many records stand in it."""
        states: dict[bytes, bytes] = {}

        def take(message: Message) -> None:
            key, value = message.key() or b"", message.value()
            if value is None:
                states.pop(key, None)
            else:
                states[key] = value

        begin, end = self._reader.bounds(self._stage.changelog, self._partition)
        if begin > 0:  # compaction never moves the beginning
            raise self._stop(f"{self._stage.changelog} was emptied: it begins at {begin}, so states are gone")
        return states, self._reader.read(self._stage.changelog, self._partition, begin, end, take)

    def _state(self, key: bytes, value: bytes) -> S:
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

    def _check(self, position: Position, low: int, high: int) -> None:
        """Refuse a position of other topics, or one that lies outside the log."""
        now = self._identity
        if position.changelog_id not in {"", now.changelog_id}:
            raise self._stop(
                f"{self._stage.changelog} was recreated: the states of {position.next_offset} offsets are gone"
            )
        if (position.topic_id, position.partition_count) != (now.topic_id, now.partition_count):
            raise self._stop(
                f"the topic was recreated or re-partitioned: the position speaks of {position.topic_id} with "
                f"{position.partition_count} partitions, the broker of {now.topic_id} with {now.partition_count}"
            )
        if not low <= position.next_offset <= high:
            raise self._stop(f"the position is {position.next_offset}, but the log holds {low} to {high}")

    def _read_back(self, low: int) -> None:
        """Read the window before the position, so that repeats are found as if we had never stopped."""
        seen: dict[int, int] = {}
        rejected = set(self._held.rejected)

        def take(message: Message) -> None:
            offset = message.offset() or 0
            event = event_hash(message.key(), message.value(), headers_of(message.headers))
            if event is not None and offset not in rejected:
                seen[event] = offset
            self._held.saw(log_time(message.timestamp()[1]))

        end = self._held.next_offset
        begin = max(low, end - self._held.seen.size)
        self._reader.read(self._stage.source, self._partition, begin, end, take)
        self._held.seen.add(seen, end)

    def _stop(self, message: str) -> StopLoudly:
        return StopLoudly(message, topic=self._stage.source, partition=self._partition)
