"""What a worker tells of itself when it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from runledger.vitals.watchdog import Work

Partition: TypeAlias = tuple[str, int]
"""(full topic name, partition)."""


class Watched:
    """Base of what can be asked, from another thread: every method answers at once and waits for no lock."""

    partition_patience: float = 1.0
    """Its partitions may stand still for so many times the usual limit."""

    def works(self) -> Iterable[Work]:
        """What has to move."""
        return ()

    def positions(self) -> Mapping[Partition, int]:
        """{(topic, partition): next_offset} of what is owned and read just now."""
        return {}

    def troubles(self) -> Mapping[str, str]:
        """{what is wrong: in words}; none of them holds a secret."""
        return {}

    def measure(self) -> None:
        """Bring gauges up to date."""


class Pulse(Watched):
    """A loop that comes around, whether or not there is something to do.

    Args:
        name: which loop, for the log.
        patience: so many times the usual limit.
    """

    def __init__(self, name: str, patience: float = 1.0) -> None:
        self._patience = patience
        self._name = name
        self._beats = 0

    def beat(self) -> None:
        """Say that it has come around."""
        self._beats += 1

    def works(self) -> Iterable[Work]:
        """Have it come around."""
        yield Work(self._name, self._beats, patience=self._patience)
