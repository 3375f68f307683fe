"""Decide whether a process is stuck: there is work, and nothing has moved; pure.

Time counts only as it was seen to pass, look by look. So a process that was stopped, with its machine or alone, comes
back with a clean record.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

_SLOW = 0.25
"""Share of the limit."""


@dataclass(frozen=True, slots=True)
class Work:
    """Something a process has to get on with.

    Args:
        name: for the log.
        progress: whatever is different once it has moved.
        waits: whether there is something to do; without it, standing still is right.
        patience: so many times the usual limit; infinite for what may stand for ever.
    """

    name: str
    progress: Hashable
    waits: bool = True
    patience: float = 1.0


@dataclass(frozen=True, slots=True)
class Standstill:
    """Work that has not moved.

    Args:
        name: of the work.
        seconds: for so long.
        limit_seconds: longer than this is being stuck.
    """

    name: str
    seconds: float
    limit_seconds: float

    @property
    def is_stuck(self) -> bool:
        """Whether it has stood too long."""
        return self.seconds > self.limit_seconds

    @property
    def is_slow(self) -> bool:
        """Whether it has stood long enough to be called wrong."""
        return self.seconds > self.limit_seconds * _SLOW


class Watchdog:
    """Remembers since when each work has stood.

    Args:
        limit_seconds: standing longer than this is being stuck.
        look_seconds: pause between two looks; of a longer one not more than twice this counts.
    """

    def __init__(self, limit_seconds: float, look_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._most_seconds = 2 * look_seconds
        self._stood: dict[str, tuple[Hashable, float]] = {}
        """{name: (progress, for how many seconds it has been the same)}."""

    def look(self, works: Iterable[Work], elapsed_seconds: float) -> list[Standstill]:
        """Compare with the last look.

        Args:
            works: as they are now; names are unique.
            elapsed_seconds: since the last look.

        Returns:
            What has not moved since the last look.
        """
        passed = min(elapsed_seconds, self._most_seconds)
        stood: dict[str, tuple[Hashable, float]] = {}
        found = []
        for work in works:
            if not work.waits:
                continue
            before, seconds = self._stood.get(work.name, (None, 0.0))
            if work.name not in self._stood or before != work.progress:
                stood[work.name] = work.progress, 0.0
                continue
            stood[work.name] = work.progress, seconds + passed
            found.append(Standstill(work.name, seconds + passed, work.patience * self._limit_seconds))
        self._stood = stood
        return found

    def excuse(self) -> None:
        """Begin anew: what was waited for is away."""
        self._stood = {name: (progress, 0.0) for name, (progress, _) in self._stood.items()}
