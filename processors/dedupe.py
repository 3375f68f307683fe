"""Repeated events are found by a hash of key and event id, within a window of the log.

The log is the memory: when a store opens it reads the window back, so live and restored processors decide alike.
"""

from __future__ import annotations

import orjson

from runledger.processors.records import Headers
from runledger.schemas.codec import EVENT_ID_HEADER


def event_hash(key: bytes | None, value: bytes | None, headers: Headers) -> int | None:
    """Hash (64 bits) of project, run and event id; None where the record names no event.

    The id stands in the `ce_id` header, so that a repeat is found without parsing; without one, the body's id counts.
    The key is project and run, so another run's id never collides by its text. Another process's hashes differ (Python
    salts them, so nobody can make ids that collide); it reads the window back by its own.
    """
    for name, content in headers:
        if name == EVENT_ID_HEADER and isinstance(content, bytes):
            return hash((key or b"", content))
    event_id = _id_in(value)
    return None if event_id is None else hash((key or b"", event_id))


def _id_in(value: bytes | None) -> bytes | None:
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    event_id = document.get("id", document.get("event_id"))  # the model takes its own name for it, too
    return event_id.encode() if isinstance(event_id, str) else None


class SeenWindow:
    """Offsets at which event hashes were last seen, for the last `size` records of a partition."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._offsets: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._offsets)

    def last(self, event: int) -> int | None:
        """Offset at which the event was last seen, if that is not forgotten yet."""
        return self._offsets.get(event)

    def reaches(self, before: int | None, offset: int) -> bool:
        """Whether what was last seen at `before`, if ever, is seen again at `offset`: at most `size` records later."""
        return before is not None and offset - before <= self.size

    def add(self, seen: dict[int, int], next_offset: int) -> None:
        """Take over {hash: offset}, and forget what lies behind the window once that is worth it."""
        self._offsets.update(seen)
        if len(self._offsets) > 1.5 * self.size:
            oldest = next_offset - self.size
            self._offsets = {event: offset for event, offset in self._offsets.items() if offset >= oldest}
