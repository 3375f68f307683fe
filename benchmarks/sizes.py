"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much work each contestant gets, and how often.

    Args:
        events: in the topic; every contestant reads them all, unless a benchmark says otherwise.
        runs: that the events belong to.
        rounds: how often each contestant runs; its figure is the median.
        deadline_seconds: for one run of one contestant.
        paced_seconds: how long a paced load lasts (latency).
        scale: share of the full size, for what is not counted in events.
    """

    events: int = 300_000
    runs: int = 5_000
    rounds: int = 3
    deadline_seconds: float = 180
    paced_seconds: float = 15
    scale: float = 1.0

    def share(self, count: int, least: int = 1) -> int:
        """Scale a count that the full size names."""
        return max(least, int(count * self.scale))


FULL = Size()
QUICK = Size(events=15_000, runs=250, rounds=1, deadline_seconds=60, paced_seconds=5, scale=0.01)
"""To see that everything works; its figures say nothing."""
