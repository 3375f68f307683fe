"""What a scorer tells of itself when it is asked, from another thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf

from runledger.vitals import Partition, Pulse

_PATIENCE = 2.5
"""By default as long as the group keeps a member that does not poll: a scorer may be a model that takes its time."""


class ScoringSigns(Pulse):
    """How the loop does, and how far it has come.

    Args:
        positions: gives {(topic, partition): next_offset}.
    """

    def __init__(self, positions: Callable[[], Mapping[Partition, int]]) -> None:
        super().__init__("scoring loop", _PATIENCE)
        self.partition_patience = inf  # a job that waits for its next attempt holds its partition's position
        self._positions = positions

    def positions(self) -> Mapping[Partition, int]:
        """What is committed."""
        return self._positions()
