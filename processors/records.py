"""What goes into a fold and what comes out: values without a broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from runledger.schemas.dead_letter_limits import Excess, Refusals
from runledger.schemas.outcomes import RunOutcome

S = TypeVar("S")

Headers: TypeAlias = Sequence[tuple[str, Any]]
"""Header values are bytes; Kafka also allows none, and librdkafka's types allow text."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Record(Protocol):
    """One fetched record, as aiokafka hands it over; `timestamp` is log time in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Batch:
    """Records fetched together from one partition.

    Args:
        topic: source topic.
        partition: its number.
        records: in offset order; empty where the fetch met only markers or aborted records.
        start: where the fetch began: end of the batch before it, or the offset sought.
        end: first offset not covered.
        epoch: which seek this fetch followed; a batch of an earlier one no longer counts.
    """

    topic: str
    partition: int
    records: Sequence[Record]
    start: int
    end: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Output:
    """A record to write in the transaction; partition None leaves it to the key's hash."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A state that leaves memory and changelog; the reason travels in a header."""

    reason: str


ERASED = Tombstone("erased")
"""Whoever reads the changelog deletes what he has of the run."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a stage needs to know to let a state expire.

    Args:
        now: the partition's own clock.
        partition: where the state lives.
        asked: version of the state for which a timeout is already written, if one is.
    """

    now: datetime
    partition: int
    asked: int | None


@dataclass(slots=True)
class Changes(Generic[S]):
    """All that one transaction writes and, once committed, memory takes over.

    Args:
        next_offset: the position after it; None where the position does not move (a tick).
        snapshots: {key: new state, or Tombstone}.
        erased: keys of runs that were erased; a new state of one begins behind the tombstone of the old.
        outputs: records for other topics.
        seen: {event hash: offset} of the records folded.
        rejected: offsets of records that went to dead-letters; the same event, mended, is not a repeat of theirs.
        asked: {key: version} of the timeouts written.
        sizes: {key: bytes of its new state as encoded}; filled by whoever encodes it.
        folded: records above the position, repeats included.
        finished: the outcomes among them.
        duplicates: repeated events skipped.
        refused: offsets of all records that went to dead-letters.
        refusals: counts of dead letters, as they stand after these records.
        excess: the first record not folded, being one dead letter too many; it is to stop the stage.
        evicted_early: states that left memory to make room.
        excess_bytes: what is held beyond the bound although all that may leave does.
    """

    next_offset: int | None = None
    snapshots: dict[bytes, S | Tombstone] = field(default_factory=dict)
    erased: set[bytes] = field(default_factory=set)
    outputs: list[Output] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    rejected: list[int] = field(default_factory=list)
    asked: dict[bytes, int] = field(default_factory=dict)
    sizes: dict[bytes, int] = field(default_factory=dict)
    last_logged_at: datetime | None = None
    folded: int = 0
    finished: list[RunOutcome] = field(default_factory=list)
    duplicates: int = 0
    refused: list[int] = field(default_factory=list)
    refusals: Refusals = Refusals()  # noqa: RUF009  # frozen
    excess: Excess | None = None
    evicted_early: int = 0
    excess_bytes: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return self.next_offset is not None or bool(self.snapshots) or bool(self.outputs)


@lru_cache(1024)
def log_time(timestamp_ms: int) -> datetime:
    """Log time of a record as an aware datetime. All records that the broker appended at once have the same."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms)
