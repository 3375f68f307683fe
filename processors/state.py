"""What a store holds in memory: the committed states of one partition, and nothing that is not committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Generic, TypeVar

from runledger.processors.bounds import Surplus
from runledger.processors.dedupe import SeenWindow
from runledger.processors.records import Changes, Tombstone
from runledger.processors.settings import DEFAULT_STATE_BYTES
from runledger.processors.timers import Timers
from runledger.schemas.dead_letter_limits import Limits, Refusals

S = TypeVar("S")

_ASK_AGAIN = timedelta(seconds=1)


class PartitionState(Generic[S]):
    """States by key, position, seen events and timers of one source partition.

    Args:
        due_at: log time at which a state may have something to do; None for never.
        dedupe_window_records: size of the window within which repeated events are found.
        state_bytes: encoded states beyond which some leave early.
        limits: how many dead letters are too many.
    """

    def __init__(
        self,
        due_at: Callable[[S], datetime | None],
        dedupe_window_records: int,
        state_bytes: int = DEFAULT_STATE_BYTES,
        limits: Limits | None = None,
    ) -> None:
        self._due_at = due_at
        self.states: dict[bytes, S] = {}
        self.sizes: dict[bytes, int] = {}
        """{key: bytes of its state in the changelog}"""
        self.held_bytes = 0
        self.surplus = Surplus(state_bytes)
        self.next_offset = 0
        self.seen = SeenWindow(dedupe_window_records)
        self.rejected: tuple[int, ...] = ()
        """Offsets within the window that went to dead-letters: they stand in the log, but were not seen."""
        self.limits = limits or Limits()
        self.refusals = Refusals()
        """Counts of dead letters up to the position."""
        self.timers = Timers()
        self.asked: dict[bytes, int] = {}
        """{key: version} of the timeouts written but not yet read back."""
        self.last_logged_at: datetime | None = None
        self.policy_revision = 0
        """Revision of the policies by which the keys are filed, or are just being filed."""
        self._unreviewed: Iterator[bytes] | None = None

    def put(self, key: bytes, state: S, size: int = 0) -> None:
        """Hold a committed state of so many bytes."""
        self.states[key] = state
        self.held_bytes += size - self.sizes.get(key, 0)
        self.sizes[key] = size
        self.file(key, state)

    def _drop(self, key: bytes) -> None:
        self.states.pop(key, None)
        self.held_bytes -= self.sizes.pop(key, 0)
        self.timers.forget(key)

    def file(self, key: bytes, state: S, not_before: datetime | None = None) -> None:
        """Have the key come up when its state is due."""
        due_at = self._due_at(state)
        if due_at is not None:
            self.timers.file(key, due_at if not_before is None else max(due_at, not_before))

    def review(self, policy_revision: int, most: int) -> None:
        """File keys anew by changed policies, at most so many at a time: with a million this takes seconds.

        Only an earlier time counts. A key that is filed too early comes up, and is filed by the later time then.
        """
        if policy_revision != self.policy_revision:
            self.policy_revision = policy_revision
            self._unreviewed = iter(list(self.states))
        if self._unreviewed is None:
            return
        keys = list(islice(self._unreviewed, most))
        for key in keys:
            state = self.states.get(key)
            if state is not None:
                self.file(key, state)
        if len(keys) < most:
            self._unreviewed = None

    @property
    def is_reviewing(self) -> bool:
        """Whether there are keys still to be filed anew."""
        return self._unreviewed is not None

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

    def now(self, read_until: datetime | None) -> datetime | None:
        """Read the partition's own clock: how far it has been read, by time; at least the last record's.

        So whoever lags, or was away, judges no run by a time he has not read yet. None where nothing was read.

        Args:
            read_until: all that was logged before this is held; None where that is not known.
        """
        if read_until is None or self.last_logged_at is None:
            return read_until or self.last_logged_at
        return max(read_until, self.last_logged_at)

    def rejected_with(self, changes: Changes[S], next_offset: int) -> tuple[int, ...]:
        """Return the rejected offsets of the window before `next_offset`, once the changes are committed."""
        oldest = next_offset - self.seen.size
        return tuple(offset for offset in (*self.rejected, *changes.rejected) if offset >= oldest)

    def take(self, changes: Changes[S]) -> None:
        """Take over what a transaction has committed."""
        for key, state in changes.snapshots.items():
            self.asked.pop(key, None)
            if isinstance(state, Tombstone):
                self._drop(key)
            else:
                self.put(key, state, changes.sizes.get(key, 0))
        self.asked.update(changes.asked)
        if changes.next_offset is not None:
            self.rejected = self.rejected_with(changes, changes.next_offset)
            self.refusals = changes.refusals
            self.next_offset = changes.next_offset
            self.seen.add(changes.seen, changes.next_offset)
        if changes.last_logged_at is not None:
            self.saw(changes.last_logged_at)
