"""When dead letters look like a change of schema rather than like poison: then a reader stops, and drains nothing.

The counts stand beside each reader's position, so that a restart goes on counting where the last commit left off.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

DEFAULT_LIMIT = 1000
DEFAULT_RATIO = 0.5
WINDOW_RECORDS = 1000
"""Records before a share says anything."""
_ADVICE = (
    "This looks like a change of schema, not like poison, so nothing more is put aside: see `runledger dlq list`, and "
    "mend the producer or bring this reader up to date. To put them aside all the same, restart it with "
    "RUNLEDGER_DEAD_LETTER_LIMIT=0 (no limit)"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many dead letters a partition may bring before its reader stops.

    Args:
        in_a_row: more without a good record between them are too many; 0 switches both limits off.
        ratio: a larger share of at least `WINDOW_RECORDS` is too many.
    """

    in_a_row: int = DEFAULT_LIMIT
    ratio: float = DEFAULT_RATIO


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a reader has refused of one partition lately.

    Args:
        in_a_row: dead letters since the last good record.
        records: records of the present window.
        dead_letters: those of them that were refused.
    """

    in_a_row: int = 0
    records: int = 0
    dead_letters: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot have been counted."""
        if not 0 <= self.dead_letters <= self.records or self.in_a_row < 0:
            raise ValueError("these are no counts of dead letters")

    @classmethod
    def from_text(cls, text: str) -> Refusals:
        """Read what `as_text` wrote; anything else counts nothing."""
        try:
            return cls(*map(int, text.split(",")))
        except (TypeError, ValueError):
            return cls()

    def as_text(self) -> str:
        """Write the counts into a line."""
        return f"{self.in_a_row},{self.records},{self.dead_letters}"

    def after_good(self, records: int, limits: Limits) -> Refusals:
        """Count records of which none was refused: in one step, as nearly all are, and yet as one by one."""
        if not records:
            return self
        counted = Refusals(0, self.records + records, self.dead_letters)
        if counted._is_open(limits):
            return counted
        first = max(self.records + 1, WINDOW_RECORDS)
        ends = (Refusals(0, end, self.dead_letters) for end in range(first, counted.records + 1))
        end = next(window.records for window in ends if not window._is_open(limits))
        return Refusals(0, (counted.records - end) % WINDOW_RECORDS)

    def after_letter(self, limits: Limits) -> Refusals:
        """Count one dead letter."""
        counted = Refusals(self.in_a_row + 1, self.records + 1, self.dead_letters + 1)
        return counted if counted._is_open(limits) else Refusals(counted.in_a_row)

    def _is_open(self, limits: Limits) -> bool:
        """Whether the window goes on: it is not full, or holds too many to be forgotten."""
        return self.records < WINDOW_RECORDS or (limits.in_a_row > 0 and self._is_past_ratio(limits))

    def _is_past_ratio(self, limits: Limits) -> bool:
        return self.records >= WINDOW_RECORDS and self.dead_letters > limits.ratio * self.records

    def excess(self, limits: Limits) -> str | None:
        """Say what is too much, to be asked after a dead letter; None while it is not."""
        if limits.in_a_row and self.in_a_row > limits.in_a_row:
            return f"more than {limits.in_a_row} dead letters in a row (RUNLEDGER_DEAD_LETTER_LIMIT)"
        if limits.in_a_row and self._is_past_ratio(limits):
            share = f"{self.dead_letters} of the last {self.records} records are dead letters"
            return f"{share}, more than {limits.ratio:g} of them (RUNLEDGER_DEAD_LETTER_RATIO)"
        return None


@dataclass(frozen=True, slots=True)
class Excess:
    """Where a limit was passed.

    Args:
        offset: the dead letter that is one too many; it is not to be written.
        why: which limit it is.
    """

    offset: int
    why: str

    def __str__(self) -> str:
        """Say it to whoever has to look."""
        return f"offset {self.offset}: {self.why}. {_ADVICE}"


def count(
    refusals: Refusals, offsets: Iterable[int], refused: Container[int], limits: Limits
) -> tuple[Refusals, Excess | None]:
    """Count records of one partition, in their order, up to where there are too many dead letters.

    Args:
        refusals: counts before them.
        offsets: of all that was read.
        refused: those of them that went to dead-letters.
        limits: how many may.
    """
    for offset in offsets:
        if offset not in refused:
            refusals = refusals.after_good(1, limits)
            continue
        refusals = refusals.after_letter(limits)
        if (why := refusals.excess(limits)) is not None:
            return refusals, Excess(offset, why)
    return refusals, None
