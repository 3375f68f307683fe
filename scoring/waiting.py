"""Failed jobs until their next attempt."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from runledger.schemas.scoring import ScoringJob
from runledger.scoring.jobs import TakenJob
from runledger.scoring.scorers import Scorer


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a job, counted from 1."""

    job: ScoringJob
    scorer: Scorer
    taken: TakenJob
    number: int = 1


@dataclass(frozen=True, order=True, slots=True)
class _Entry:
    due: float
    sequence: int
    attempt: Attempt = field(compare=False)


class WaitingRoom:
    """Attempts in the order they fall due; times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, attempt: Attempt, due: float) -> None:
        """Let an attempt wait."""
        self._sequence += 1
        heapq.heappush(self._entries, _Entry(due, self._sequence, attempt))

    def take_due(self, now: float) -> list[Attempt]:
        """Take out what is due."""
        due = []
        while self._entries and self._entries[0].due <= now:
            due.append(heapq.heappop(self._entries).attempt)
        return due

    def seconds_until_due(self, now: float) -> float | None:
        """Say how long until the next falls due; None when nobody waits."""
        return max(0.0, self._entries[0].due - now) if self._entries else None
