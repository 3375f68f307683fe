"""Write records in half the time `codec.encode` takes: for the processors, who write one for every run of a batch.

msgspec writes costs without asking Python back. Times end in `Z` instead of `+00:00`; RFC 3339 knows both.
"""

from __future__ import annotations

import msgspec

__all__ = ["write_record"]

_write = msgspec.json.Encoder().encode


def write_record(record: object) -> bytes:
    """Write a snapshot, outcome, job or any other record dataclass as JSON; costs as text, times in RFC 3339."""
    return _write(record)
