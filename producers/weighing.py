"""Which events take too long to be masked in an event loop."""

from __future__ import annotations

from collections.abc import Sequence

from runledger.producers.tellings import Tellable, Telling

HEAVY_BYTES = 16 * 1024
"""Masking and checking so much takes milliseconds, and up to two seconds for the largest events (docs/masking.md)."""
_MANY_EVENTS = 50


def are_heavy(events: Sequence[Tellable]) -> bool:
    """Tell whether events should be masked in a thread, so that an event loop goes on meanwhile."""
    if len(events) > _MANY_EVENTS:
        return True
    size = 0
    for event in events:
        size += _bytes_of(event)
        if size > HEAVY_BYTES:
            return True
    return False


def _bytes_of(event: Tellable) -> int:
    if isinstance(event, Telling):
        return len(event.value)
    return len(event.__pydantic_serializer__.to_json(event))
