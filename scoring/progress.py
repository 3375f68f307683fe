"""How far a partition may be committed while its jobs finish in any order."""

from __future__ import annotations

from heapq import heappop, heappush

from runledger.schemas.dead_letter_limits import Refusals


class PartitionProgress:
    """The jobs of one partition from taking to answer, for one assignment of it.

    `next_offset` is the first offset that is not finished: everything below it may be committed.

    Args:
        partition: its number.
        refusals: counts of its dead letters, as committed with its position.
    """

    def __init__(self, partition: int, refusals: Refusals | None = None) -> None:
        self.partition = partition
        self.refusals = refusals or Refusals()
        self._open: set[int] = set()
        self._opened: list[int] = []
        self._end: int | None = None
        self._committed: int | None = None

    def take(self, offset: int) -> None:
        """Note a job as begun; offsets come in order, with gaps."""
        self._open.add(offset)
        heappush(self._opened, offset)
        self._end = offset + 1

    def finish(self, offset: int) -> None:
        """Note a job as answered, dead-lettered or known already."""
        self._open.discard(offset)

    @property
    def next_offset(self) -> int | None:
        """First offset not finished; None before anything was taken."""
        while self._opened and self._opened[0] not in self._open:
            heappop(self._opened)
        return self._opened[0] if self._opened else self._end

    def due_commit(self) -> int | None:
        """Return the offset to commit, if it has moved since the last `committed`."""
        return None if self.next_offset == self._committed else self.next_offset

    @property
    def committed_offset(self) -> int | None:
        """What was committed last; None before that."""
        return self._committed

    def committed(self, next_offset: int) -> None:
        """Note what was committed."""
        self._committed = next_offset
