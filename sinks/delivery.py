"""Bring records into the database whatever happens: wait out its failures, and set aside what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg
import structlog

from runledger.sinks.batch import Batch, dead_letter, fold
from runledger.sinks.dead_letters import DeadLetterBox
from runledger.sinks.errors import InterruptedDeliveryError, PositionConflictError
from runledger.sinks.records import Partition, Record
from runledger.sinks.refusals import RefusalCounts
from runledger.sinks.settings import SinkSettings
from runledger.sinks.sqlstate import decide_error, reason_of
from runledger.sinks.texts import Texts, texts_of
from runledger.sinks.writer import Writer

_log = structlog.get_logger()


@dataclass(slots=True)
class _Part:
    """Records of one transaction, folded once."""

    records: Sequence[Record]
    ends: Mapping[Partition, int] = field(default_factory=dict)
    folding: Future[tuple[Batch, Texts | None]] | None = None


class Delivery:
    """Writes records through a writer; what the database refuses is narrowed down to single records.

    While the database writes one transaction, the next is folded: on two cores that takes the time of one of them.

    Args:
        settings: patience and limits.
        writer: writes a batch or nothing.
        dead_letters: takes what is given up.
        wait: keeps the process in its group for so many seconds; False where going on has no point.
    """

    def __init__(
        self, settings: SinkSettings, writer: Writer, dead_letters: DeadLetterBox, wait: Callable[[float], bool]
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._dead_letters = dead_letters
        self._wait = wait
        self.refusals = RefusalCounts(settings.dead_letter_limits)
        self._folder = ThreadPoolExecutor(1, thread_name_prefix="fold")

    def deliver(
        self, records: Sequence[Record], expected: dict[Partition, int], ends: Mapping[Partition, int] | None = None
    ) -> None:
        """Write records and move `expected` along.

        Args:
            records: in the order of their offsets within each partition.
            expected: {(topic, partition): next_offset} as it stands in the database.
            ends: offsets up to which the log holds nothing after the records.

        Raises:
            PositionConflictError: another consumer has written them.
            StopLoudlyError: there are too many dead letters; what stands before the one too many is written, and what
                is of other partitions: a restart that reads the same one first would never come to them.
            DeliveryError: the broker took no dead letter.
            InterruptedDeliveryError: the wait for the database was broken off.
            psycopg.Error: the database is in a state that waiting does not mend.
        """
        parts = _split(records, self._settings.batch_records, self._settings.batch_bytes, ends or {})
        while parts:
            part = parts.pop()
            batch, texts = self._fold(part).result()
            if parts:
                self._fold(parts[-1])
            excess = self.refusals.count(batch, part.records, expected)
            if excess is not None:
                self.deliver(_without(part.records, excess.index), expected)
                raise excess.error
            if batch.dead_letters:
                self._dead_letters.send(batch.dead_letters)
            refused = self._write(batch, expected, texts)
            if refused is None:
                self.refusals.take(batch)
                expected.update(batch.moves)
            elif len(part.records) > 1:
                middle = len(part.records) // 2
                parts += [_Part(part.records[middle:], part.ends), _Part(part.records[:middle])]
            else:
                self._give_up(part.records[0], refused, expected)

    def _fold(self, part: _Part) -> Future[tuple[Batch, Texts | None]]:
        """Begin to fold a part, unless that was done."""
        if part.folding is None:
            part.folding = self._folder.submit(_fold, part.records, self._settings.rubric, part.ends)
        return part.folding

    def _write(
        self, batch: Batch, expected: Mapping[Partition, int], texts: Texts | None = None
    ) -> psycopg.Error | None:
        """Write a batch, waiting for a database that will recover; return the error if a value is at fault."""
        pause_seconds = self._settings.retry_seconds
        in_doubt = False
        while True:
            try:
                if in_doubt and self._stands(batch, expected):
                    return None
                self._writer.write(batch, expected, texts)
            except psycopg.Error as error:
                decision = decide_error(error)
                if decision == "bisect":
                    return error
                self._writer.close()
                if decision == "stop":
                    raise
                _log.warning("database_away", reason=reason_of(error), retry_in_seconds=pause_seconds)
            except PositionConflictError:
                _log.error("compare_and_set_refused", partitions=len(batch.moves))
                raise
            else:
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

    def _give_up(self, record: Record, error: psycopg.Error, expected: dict[Partition, int]) -> None:
        detail = f"{type(error).__name__} {error.sqlstate or 'refused by the client'}"
        letter = dead_letter(record, "refused_by_database", detail)
        batch = Batch(moves={record.source: record.offset + 1}, dead_letters=[letter])
        excess = self.refusals.count(batch, [record], expected)
        if excess is not None:
            raise excess.error
        self._dead_letters.send([letter])
        refused = self._write(batch, expected)
        if refused is not None:
            raise refused
        self.refusals.take(batch)
        expected.update(batch.moves)


def _fold(records: Sequence[Record], rubric: str, ends: Mapping[Partition, int]) -> tuple[Batch, Texts | None]:
    batch = fold(records, rubric, ends)
    try:
        return batch, texts_of(batch)
    except psycopg.DataError:  # the writer meets it again, and it is narrowed down
        return batch, None


def _without(records: Sequence[Record], index: int) -> list[Record]:
    """Leave out a record and all that follow it in its partition."""
    source = records[index].source
    return [*records[:index], *(record for record in records[index:] if record.source != source)]


def _split(records: Sequence[Record], most: int, most_bytes: int, ends: Mapping[Partition, int]) -> list[_Part]:
    """Cut records into parts of at most so many records and bytes, or of one record; the first to write stands last."""
    parts: list[_Part] = []
    first, held_bytes = 0, 0
    for index, record in enumerate(records):
        size = len(record.value or b"")
        if index > first and (index - first == most or held_bytes + size > most_bytes):
            parts.append(_Part(records[first:index]))
            first, held_bytes = index, 0
        held_bytes += size
    parts.append(_Part(records[first:], ends))
    return parts[::-1]
