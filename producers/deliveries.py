"""What was handed over and what became of it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from runledger.producers.errors import Undelivered
from runledger.producers.records import Record
from runledger.producers.stats import Stats
from runledger.producers.transport import Failure

OnDelivered: TypeAlias = Callable[[Undelivered | None], None]
Fate: TypeAlias = Literal["acknowledged", "spooled", "dropped", "refused"]

MAX_NAMED = 10_000
"""Lost events that the next flush can name; earlier ones are only counted, so that memory stays bounded."""
_LOG = logging.getLogger(__name__)


def _ignore(_expected: Expected, _failure: Failure) -> None:
    """Hear of no failure: whoever handed it over settles it."""


class Expected(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One event from hand-over to the receiver's word on it, by which it is called.

    Thousands of these may wait, with nothing in them for the garbage collector to find: it took a fifth of a call.
    """

    record: Record
    on_delivered: OnDelivered | None
    settle: Callable[[Expected, Fate], None]
    fail: Callable[[Expected, Failure], None]

    def __call__(self, failure: Failure | None) -> None:
        """Take the receiver's word."""
        if failure is None:
            self.settle(self, "acknowledged")
        else:
            self.fail(self, failure)


class Deliveries:
    """Keep every event from hand-over to the receiver's word on it. Safe to share between threads."""

    def __init__(self) -> None:
        # The condition's own; a signal's handler may tell something while the same thread holds it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0
        self._pending: dict[Expected, None] = {}
        self._lost: deque[Undelivered] = deque(maxlen=MAX_NAMED)
        self._lost_unnamed = 0
        self._counts: dict[Fate, int] = {"acknowledged": 0, "spooled": 0, "dropped": 0, "refused": 0}
        self._dropping = False
        self._listened_to = 0
        self._settle = self.settle  # made once, not for each event

    @property
    def listened_to(self) -> bool:
        """Whether somebody waits to be called with the word on an event."""
        return self._listened_to > 0

    def expect(
        self,
        record: Record,
        on_delivered: OnDelivered | None = None,
        fail: Callable[[Expected, Failure], None] = _ignore,
    ) -> Expected:
        """Note a record as pending.

        Args:
            record: what is about to be handed over.
            on_delivered: called with None once acknowledged, else with the failure, which `take_lost` then leaves out.
            fail: called with what is returned, and why it was not acknowledged; it is to settle it.
        """
        expected = Expected(record, on_delivered, self._settle, fail)
        with self._lock:
            self._pending[expected] = None
            if on_delivered is not None:
                self._listened_to += 1
        return expected

    def forget(self, expected: Expected) -> None:
        """Drop a record that was not handed over after all."""
        with self._lock:
            del self._pending[expected]
            self._listened_to -= expected.on_delivered is not None
            if self._waiting and not self._pending:
                self._changed.notify_all()

    def settle(self, expected: Expected, fate: Fate, reason: str = "") -> None:
        """Note what became of a record; a second word on it is ignored."""
        with self._lock:
            if expected not in self._pending:
                return
            del self._pending[expected]
            self._counts[fate] += 1
            if self._waiting and not self._pending:
                self._changed.notify_all()
            on_delivered = expected.on_delivered
            if fate == "acknowledged" and on_delivered is None and not self._dropping:
                return
            self._listened_to -= on_delivered is not None
            failure = None if fate == "acknowledged" else expected.record.undelivered(reason)
            if failure is not None and fate != "spooled" and on_delivered is None:
                self._lost_unnamed += len(self._lost) == MAX_NAMED
                self._lost.append(failure)
            begins, ends = self._note_dropping(fate)
        if begins:
            _LOG.warning("events are being lost, this is said once until delivery works again: %s, %s", fate, reason)
        elif ends:
            _LOG.warning("delivery works again; events lost so far: %d", self._lost_in_all())
        if on_delivered is not None:
            _tell(on_delivered, failure)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until nothing is pending; False when the time was up first."""
        with self._lock:
            self._waiting += 1
            try:
                return self._changed.wait_for(lambda: not self._pending, timeout_seconds)
            finally:
                self._waiting -= 1

    def take_lost(self) -> tuple[tuple[Undelivered, ...], int]:
        """Give what was dropped or refused since the last call, and how many of those have no name here."""
        with self._lock:
            lost, unnamed = tuple(self._lost), self._lost_unnamed
            self._lost.clear()
            self._lost_unnamed = 0
            return lost, unnamed

    def pending(self) -> tuple[Undelivered, ...]:
        """Name what has no word yet."""
        with self._lock:
            return tuple(expected.record.undelivered("pending") for expected in self._pending)

    def stats(self) -> Stats:
        """Count; the spool's own figures are left at 0."""
        with self._lock:
            pending = len(self._pending)
            return Stats(sent=pending + sum(self._counts.values()), pending=pending, **self._counts)

    def _lost_in_all(self) -> int:
        return self._counts["dropped"] + self._counts["refused"]

    def _note_dropping(self, fate: Fate) -> tuple[bool, bool]:
        """Tell whether this is the first loss of an outage, or the first success after one."""
        lost = fate in {"dropped", "refused"}
        begins, ends = lost and not self._dropping, self._dropping and fate == "acknowledged"
        self._dropping = lost or (self._dropping and not ends)
        return begins, ends


def _tell(on_delivered: OnDelivered, failure: Undelivered | None) -> None:
    try:
        on_delivered(failure)
    except Exception:  # noqa: BLE001  # a caller's mistake must not end the thread that serves everybody
        _LOG.exception("on_delivered raised")
