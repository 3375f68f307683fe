"""When a post that failed is made again; pure."""

from __future__ import annotations

from datetime import timedelta

_FACTOR = 3.0
_LONGEST = timedelta(hours=6)
ATTEMPTS = 20
"""With a first pause of 5 s: eight growing pauses in 4.5 hours, then every 6 hours, the last after about 3 days."""
_JITTER = 0.2


def pause_after(attempts: int, first: timedelta, chance: float) -> timedelta | None:
    """Return how long to wait after a failed attempt, or None to give up.

    Counted by attempts, not by age: a receiver is tried as often as was promised even if the watch itself was down.

    Args:
        attempts: made so far, this one included; from 1.
        first: pause after the first.
        chance: 0 to 1, at random; receivers that failed together are not all tried again together.
    """
    if attempts >= ATTEMPTS:
        return None
    pause = min(first * _FACTOR ** (attempts - 1), _LONGEST)
    return pause * (1 - _JITTER + 2 * _JITTER * chance)
