"""Bring records into the database whatever happens: wait out its failures, and set aside what it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg
import structlog

from runledger.sinks.batch import READER, Batch, dead_letter, fold, refused_event
from runledger.sinks.counting import count_batch
from runledger.sinks.dead_letters import DeadLetterBox
from runledger.sinks.errors import InterruptedDeliveryError, PositionConflictError
from runledger.sinks.records import Partition, Record
from runledger.sinks.refusals import RefusalCounts
from runledger.sinks.settings import SinkSettings
from runledger.sinks.sqlstate import decide_error, reason_of
from runledger.sinks.texts import Texts, texts_of
from runledger.sinks.vital_signs import SinkSigns
from runledger.sinks.writer import Writer
from runledger.vitals import count, observe
from runledger.vitals.metrics import COMMIT_SECONDS, COMPARE_AND_SET_REFUSED, TRANSACTIONS_ABORTED

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Part:
    """Records of one transaction."""

    records: Sequence[Record]
    ends: Mapping[Partition, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A transaction under way.

    Args:
        part: its records.
        batch: what came of them.
        texts: the batch's rows, where they could be written.
        expected: {(topic, partition): next_offset}, to be moved along when it is through.
        writing: gives the seconds that the first attempt took.
    """

    part: _Part
    batch: Batch
    texts: Texts | None
    expected: dict[Partition, int]
    writing: Future[float]


class Delivery:
    """Writes records through a writer; what the database refuses is narrowed down to single records.

    While the database writes one transaction, the caller reads on and the next is folded: on two cores that takes the
    time of the slower of them, not of both.

    Args:
        settings: patience and limits.
        writer: writes a batch or nothing.
        dead_letters: takes what is given up.
        wait: keeps the process in its group for so many seconds; False where going on has no point.
        signs: told when the database is away.
    """

    def __init__(
        self,
        settings: SinkSettings,
        writer: Writer,
        dead_letters: DeadLetterBox,
        wait: Callable[[float], bool],
        signs: SinkSigns | None = None,
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._dead_letters = dead_letters
        self._wait = wait
        self._signs = signs or SinkSigns("delivery")
        self.refusals = RefusalCounts(settings.dead_letter_limits)
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._flight: _Flight | None = None
        self._written: set[Partition] = set()

    @property
    def under_way(self) -> Mapping[Partition, int]:
        """{(topic, partition): next_offset} that the transaction under way moves to."""
        return {} if self._flight is None else self._flight.batch.moves

    def take_written(self) -> set[Partition]:
        """Return what was moved since the last call."""
        written, self._written = self._written, set()
        return written

    def deliver(
        self, records: Sequence[Record], expected: dict[Partition, int], ends: Mapping[Partition, int] | None = None
    ) -> None:
        """Have records written after those delivered before; return while the last transaction is under way.

        Args:
            records: in the order of their offsets within each partition.
            expected: {(topic, partition): next_offset} as it stands in the database once all is settled; moved along.
            ends: offsets up to which the log holds nothing after the records.

        Raises:
            StopLoudlyError: there are too many dead letters; what stands before the one too many is written, and what
                is of other partitions: a restart that reads the same one first would never come to them.
            SinkError, psycopg.Error: see `settle`; of these records, nothing is under way.
        """
        for part in _split(records, self._settings.batch_records, self._settings.batch_bytes, ends or {}):
            batch, texts = _fold(part, self._settings.rubric)
            self.settle()
            excess = self.refusals.count(batch, part.records, expected)
            if excess is not None:
                self.deliver(_without(part.records, excess.index), expected)
                self.settle()
                raise excess.error
            if batch.dead_letters:
                self._dead_letters.send(batch.dead_letters)
            writing = self._hand.submit(self._attempt, batch, expected, texts)
            self._flight = _Flight(part, batch, texts, expected, writing)

    def settle(self) -> None:
        """Wait until what was delivered is written.

        Raises:
            PositionConflictError: another consumer has written it.
            StopLoudlyError: there are too many dead letters.
            DeliveryError: the broker took no dead letter.
            InterruptedDeliveryError: the wait for the database was broken off.
            psycopg.Error: the database is in a state that waiting does not mend.
        """
        flight, self._flight = self._flight, None
        if flight is None:
            return
        part = flight.part
        refused = self._write(flight.batch, flight.expected, flight.texts, flight.writing)
        if refused is None:
            self._note(flight)
        elif len(part.records) > 1:
            middle = len(part.records) // 2
            self.deliver(part.records[:middle], flight.expected)
            self.deliver(part.records[middle:], flight.expected, part.ends)
            self.settle()
        else:
            self._give_up(part, refused, flight.expected)

    def drop(self) -> None:
        """Wait for the attempt under way, if there is one, and leave it at that: who goes on asks for the positions."""
        flight, self._flight = self._flight, None
        if flight is None:
            return
        error = flight.writing.exception()
        if error is None:
            self._note(flight)
        elif isinstance(error, psycopg.Error):
            self._writer.close()
        elif isinstance(error, PositionConflictError):
            _log_conflict(flight.batch)
        else:
            raise error

    def _note(self, flight: _Flight) -> None:
        """Remember that a transaction is through."""
        self.refusals.take(flight.batch)
        flight.expected.update(flight.batch.moves)
        self._written |= flight.batch.moves.keys()
        count_batch(flight.part.records, flight.batch)
        _log.debug("batch_committed", records=len(flight.part.records))

    def _attempt(self, batch: Batch, expected: Mapping[Partition, int], texts: Texts | None) -> float:
        began = time.monotonic()
        self._writer.write(batch, expected, texts)
        return time.monotonic() - began

    def _write(
        self,
        batch: Batch,
        expected: Mapping[Partition, int],
        texts: Texts | None = None,
        writing: Future[float] | None = None,
    ) -> psycopg.Error | None:
        """Write a batch, waiting for a database that will recover; return the error if a value is at fault."""
        pause_seconds = self._settings.retry_seconds
        in_doubt = False
        while True:
            try:
                if in_doubt and self._stands(batch, expected):
                    return None
                first, writing = writing, None
                seconds = self._attempt(batch, expected, texts) if first is None else first.result()
            except psycopg.Error as error:
                count(TRANSACTIONS_ABORTED, 1, READER)
                decision = decide_error(error)
                if decision == "bisect":
                    return error
                self._writer.close()
                if decision == "stop":
                    raise
                self._signs.away("database_away", reason_of(error))
                _log.warning("database_away", reason=reason_of(error), retry_in_seconds=pause_seconds)
            except PositionConflictError:
                _log_conflict(batch)
                raise
            else:
                observe(COMMIT_SECONDS, seconds, READER)
                self._signs.back()
                return None
            in_doubt = True
            if not self._wait(pause_seconds):
                raise InterruptedDeliveryError
            pause_seconds = min(2 * pause_seconds, self._settings.retry_limit_seconds)

    def _stands(self, batch: Batch, expected: Mapping[Partition, int]) -> bool:
        """Tell whether a commit whose answer was lost has happened: then every position stands where it moved it."""
        held = self._writer.read_positions(batch.moves)
        moved = {source: offset for source, offset in batch.moves.items() if offset != expected[source]}
        return bool(moved) and all(
            source in held and held[source].next_offset == offset for source, offset in moved.items()
        )

    def _give_up(self, part: _Part, error: psycopg.Error, expected: dict[Partition, int]) -> None:
        (record,) = part.records
        detail = f"{type(error).__name__} {error.sqlstate or 'refused by the client'}"
        letter = dead_letter(record, "refused_by_database", detail)
        batch = Batch(moves={record.source: record.offset + 1}, dead_letters=[letter])
        excess = self.refusals.count(batch, [record], expected)
        if excess is not None:
            raise excess.error
        self._dead_letters.send([letter])
        place = refused_event(record)
        batch.refused_events = [] if place is None else [place]
        refused = self._write(batch, expected)
        if refused is not None and batch.refused_events:
            batch.refused_events = []  # its very ids are what the database refuses
            refused = self._write(batch, expected)
        if refused is not None:
            raise refused
        self.refusals.take(batch)
        expected.update(batch.moves)
        self._written |= batch.moves.keys()
        count_batch([record], batch)


def _log_conflict(batch: Batch) -> None:
    count(COMPARE_AND_SET_REFUSED, 1)
    _log.error("compare_and_set_refused", partitions=len(batch.moves))


def _fold(part: _Part, rubric: str) -> tuple[Batch, Texts | None]:
    batch = fold(part.records, rubric, part.ends)
    try:
        return batch, texts_of(batch)
    except psycopg.DataError:  # the writer meets it again, and it is narrowed down
        return batch, None


def _without(records: Sequence[Record], index: int) -> list[Record]:
    """Leave out a record and all that follow it in its partition."""
    source = records[index].source
    return [*records[:index], *(record for record in records[index:] if record.source != source)]


def _split(records: Sequence[Record], most: int, most_bytes: int, ends: Mapping[Partition, int]) -> list[_Part]:
    """Cut records into parts of at most so many records and bytes, or of one record."""
    parts: list[_Part] = []
    first, held_bytes = 0, 0
    for index, record in enumerate(records):
        size = len(record.value or b"")
        if index > first and (index - first == most or held_bytes + size > most_bytes):
            parts.append(_Part(records[first:index]))
            first, held_bytes = index, 0
        held_bytes += size
    parts.append(_Part(records[first:], ends))
    return parts
