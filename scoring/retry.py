"""When a failed job is tried again. Pure: it decides, the worker waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Try once more, after a wait."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Enough; the job goes to the dead letters."""


Decision: TypeAlias = TryAgain | GiveUp


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits that double from the first to the longest, for a number of attempts."""

    max_attempts: int
    first_delay_seconds: float
    max_delay_seconds: float

    def decide(self, attempts: int) -> Decision:
        """Decide after the `attempts`-th attempt has failed, counted from 1."""
        if attempts >= self.max_attempts:
            return GiveUp()
        doublings = min(attempts - 1, 60)  # a float would overflow at 1024
        return TryAgain(min(self.first_delay_seconds * 2.0**doublings, self.max_delay_seconds))
