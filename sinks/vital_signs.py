"""What a sink or a relay tells of itself when it is asked, from another thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runledger.sinks.records import Partition
from runledger.vitals import Watched, Work

_PATIENCE = 2.5
"""By default five minutes, beyond what a statement may take and a rebalance may wait: a database may be slow."""


class SinkSigns(Watched):
    """How a loop that writes does.

    Args:
        name: which loop, for the log.
    """

    partition_patience = _PATIENCE

    def __init__(self, name: str) -> None:
        self._name = name
        self._beats = 0
        self._away: dict[str, str] = {}
        self.stands: dict[Partition, int] | None = None
        """{(topic, partition): next_offset} as it stands in the database; None until it was asked."""

    def beat(self) -> None:
        """Say that the loop has come around."""
        self._beats += 1

    def away(self, problem: str, reason: str) -> None:
        """Say what does not answer, and that an attempt more was made: to wait for it is right."""
        self._beats += 1
        self._away = {**self._away, problem: reason}

    def back(self) -> None:
        """Say that everything answers."""
        if self._away:
            self._away = {}

    def works(self) -> Iterable[Work]:
        """Have the loop come around, or a long write move on."""
        yield Work(self._name, (self._beats, sum((self.stands or {}).values())), patience=_PATIENCE)

    def positions(self) -> Mapping[Partition, int]:
        """Where the partitions stand."""
        return dict(self.stands or {})

    def troubles(self) -> Mapping[str, str]:
        """Tell what is waited for."""
        return self._away
