"""When to start a process again that ended: a decision, without a clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waiting times between restarts.

    Args:
        first_seconds: wait before the first restart.
        factor: how much longer each further wait is.
        longest_seconds: no wait is longer, jitter apart.
        jitter: up to this share is added, so that processes that fall together do not rise together.
        steady_seconds: a process that ran this long has earned a short wait again.
    """

    first_seconds: float = 0.5
    factor: float = 2.0
    longest_seconds: float = 30.0
    jitter: float = 0.2
    steady_seconds: float = 30.0

    def failures(self, earlier: int, ran_seconds: float) -> int:
        """Count the failures in a row, with the one that just happened."""
        return 1 if ran_seconds >= self.steady_seconds else earlier + 1

    def wait_seconds(self, failures: int, chance: float) -> float:
        """Give the wait after that many failures in a row.

        Args:
            failures: 1 or more.
            chance: 0…1, picks the jitter.
        """
        # The power is bounded before it is computed: after a thousand failures it would overflow.
        steps = min(failures - 1, 64)
        return min(self.first_seconds * self.factor**steps, self.longest_seconds) * (1 + self.jitter * chance)
