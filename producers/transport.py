"""What carries records to the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from runledger.producers.records import Record


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a record was not acknowledged.

    Args:
        reason: one line for people; holds nothing of the event.
        final: the receiver refuses this record for good: to send it again is of no use.
    """

    reason: str
    final: bool = False


Report: TypeAlias = Callable[[Failure | None], None]
"""Called from the transport's own thread, or within `hear` and `wait_for_room`: None once the record is acknowledged,
else why not. It never raises."""


class TransportFullError(Exception):
    """The bounded memory of the transport is full; the record was not taken."""


class Transport(Protocol):
    """Carry records in the background. Safe to share between threads."""

    def send(self, record: Record, report: Report) -> None:
        """Take a record without waiting; `report` is called once.

        Raises:
            TransportFullError: there is no room now.
        """

    def hear(self) -> None:
        """Give, in the caller's thread, the reports that have come meanwhile. Quick; none where a caller need not."""

    def wait_for_room(self, seconds: float) -> None:
        """Wait until there may be room again, at most so long."""

    def close(self) -> None:
        """Give up what is pending, reporting each as failed, and stop. Quick, whatever the receiver does."""

    def abandon(self) -> None:
        """Let go, in a forked process, of what belongs to the parent, and touch nothing of it."""
