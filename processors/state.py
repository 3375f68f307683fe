"""What a store holds in memory: the committed states of one partition, and nothing that is not committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from runledger.processors.dedupe import SeenWindow
from runledger.processors.records import Changes, Tombstone
from runledger.processors.timers import Timers

S = TypeVar("S")

_ASK_AGAIN = timedelta(seconds=1)


class PartitionState(Generic[S]):
    """States by key, position, seen events and timers of one source partition.

    Args:
        due_at: log time at which a state may have something to do; None for never.
        dedupe_window_records: size of the window within which repeated events are found.
    """

    def __init__(self, due_at: Callable[[S], datetime | None], dedupe_window_records: int) -> None:
        self._due_at = due_at
        self.states: dict[bytes, S] = {}
        self.next_offset = 0
        self.seen = SeenWindow(dedupe_window_records)
        self.rejected: tuple[int, ...] = ()
        """Offsets within the window that went to dead-letters: they stand in the log, but were not seen."""
        self.timers = Timers()
        self.asked: dict[bytes, int] = {}
        """{key: version} of the timeouts written but not yet read back."""
        self.last_logged_at: datetime | None = None

    def put(self, key: bytes, state: S) -> None:
        """Hold a committed state."""
        self.states[key] = state
        self.file(key, state)

    def file(self, key: bytes, state: S, not_before: datetime | None = None) -> None:
        """Have the key come up when its state is due."""
        due_at = self._due_at(state)
        if due_at is not None:
            self.timers.file(key, due_at if not_before is None else max(due_at, not_before))

    def refile(self, came_up: Iterable[bytes], now: datetime) -> None:
        """File keys anew that came up at `now`, a second later at the earliest: an answer may be on its way."""
        for key in came_up:
            state = self.states.get(key)
            if state is not None:
                self.file(key, state, now + _ASK_AGAIN)

    def saw(self, logged_at: datetime) -> None:
        """Move the partition's own clock, which never goes back."""
        if self.last_logged_at is None or logged_at > self.last_logged_at:
            self.last_logged_at = logged_at

    def rejected_with(self, changes: Changes[S], next_offset: int) -> tuple[int, ...]:
        """Return the rejected offsets of the window before `next_offset`, once the changes are committed."""
        oldest = next_offset - self.seen.size
        return tuple(offset for offset in (*self.rejected, *changes.rejected) if offset >= oldest)

    def take(self, changes: Changes[S]) -> None:
        """Take over what a transaction has committed."""
        for key, state in changes.snapshots.items():
            self.asked.pop(key, None)
            if isinstance(state, Tombstone):
                self.states.pop(key, None)
            else:
                self.put(key, state)
        self.asked.update(changes.asked)
        if changes.next_offset is not None:
            self.rejected = self.rejected_with(changes, changes.next_offset)
            self.next_offset = changes.next_offset
            self.seen.add(changes.seen, changes.next_offset)
        if changes.last_logged_at is not None:
            self.saw(changes.last_logged_at)
