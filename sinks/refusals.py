"""Counts of dead letters per partition: they stand beside the positions, so a restart goes on counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runledger.schemas.dead_letter_limits import Limits, Refusals, count
from runledger.sinks.batch import Batch
from runledger.sinks.errors import StopLoudlyError
from runledger.sinks.records import Partition, Record


@dataclass(frozen=True, slots=True)
class Excess:
    """Where a limit was passed.

    Args:
        index: place of the dead letter that is one too many, among the records.
        error: to be raised once those before it are written.
    """

    index: int
    error: StopLoudlyError


class RefusalCounts:
    """What the sink refused lately of each partition it reads.

    Args:
        limits: how many dead letters are too many.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: dict[Partition, Refusals] = {}

    def resume(self, held: Mapping[Partition, Refusals]) -> None:
        """Go on from what stands beside the positions."""
        self._held = dict(held)

    def count(self, batch: Batch, records: Sequence[Record], expected: Mapping[Partition, int]) -> Excess | None:
        """Write the counts after a batch into it; return where there are too many dead letters.

        Args:
            batch: what came of the records.
            records: in the order of their offsets within each partition.
            expected: {(topic, partition): next_offset before the batch}.
        """
        found: list[Excess] = []
        for source, end in batch.moves.items():
            held = self._held.get(source, Refusals())
            refused = {letter.offset for letter in batch.dead_letters if (letter.topic, letter.partition) == source}
            if not refused:  # nearly always; markers between the records may be counted along
                batch.refusals[source] = held.after_good(max(0, end - expected[source]), self._limits)
                continue
            offsets = [record.offset for record in records if record.source == source]
            batch.refusals[source], excess = count(held, offsets, refused, self._limits)
            if excess is not None:
                place = (*source, excess.offset)
                index = next(i for i, it in enumerate(records) if (it.topic, it.partition, it.offset) == place)
                error = StopLoudlyError(str(excess), topic=source[0], partition=source[1])
                found.append(Excess(index, error))
        return min(found, key=lambda excess: excess.index, default=None)

    def take(self, batch: Batch) -> None:
        """Hold what a batch that is written has changed."""
        self._held.update(batch.refusals)
