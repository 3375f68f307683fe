"""Lengths of time as people write them: 90s, 30m, 1h30m, 1d."""

from __future__ import annotations

import re

MAX_INTERVAL_SECONDS = 366 * 24 * 3600
"""What is expected less often than once a year is not expected."""

_UNITS = {"d": 24 * 3600, "h": 3600, "m": 60, "s": 1}
_WRITTEN = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))


def parse_interval(text: str, most_seconds: int = MAX_INTERVAL_SECONDS) -> int:
    """Read a length of time, such as 1h or 1h30m, in seconds.

    Raises:
        ValueError: it is none, is nothing, or is longer than that: 366 days if nothing is said.
    """
    written = _WRITTEN.fullmatch(text)
    if not text or written is None:
        raise ValueError(f"{text!r} is no length of time: write it like 90s, 30m, 1h, 1h30m or 1d")
    parts = zip(written.groups(), _UNITS.values(), strict=True)
    seconds = sum(int(count) * unit for count, unit in parts if count is not None)
    if not 1 <= seconds <= most_seconds:
        raise ValueError(f"{text!r} is not between 1s and {most_seconds // _UNITS['d']}d")
    return seconds


def say_interval(seconds: int) -> str:
    """Write a length of time so that `parse_interval` reads it back; nothing is 0s."""
    parts = []
    for unit, length in _UNITS.items():
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
