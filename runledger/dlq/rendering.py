"""Bytes of strangers as one safe line: nothing in them moves the cursor, and no more than so many are shown."""

from __future__ import annotations

from runledger.schemas.codec import EVENT_ID_HEADER
from runledger.schemas.dead_letter_marks import REPLAY_OF

SHOWN_BYTES = 2000
_HEADERS_SHOWN = frozenset({EVENT_ID_HEADER, "content-type", REPLAY_OF})
"""Headers that hold no secret; of others only the length is told."""


def safe(content: bytes | None, most_bytes: int = SHOWN_BYTES) -> str:
    """Show bytes: printable text as it is, everything else escaped, and how much was left out."""
    if content is None:
        return "none"
    text = content[:most_bytes].decode(errors="backslashreplace")
    shown = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
    left = len(content) - most_bytes
    return f"{shown} … {left:,} bytes more" if left > 0 else shown


def safe_text(text: str, most: int = 500) -> str:
    """Show text that came with a record."""
    return safe(text.encode(errors="backslashreplace"), most)


def header_line(name: str, content: bytes | None, *, payload: bool) -> str:
    """Show one header of a record; its content only where it holds no secret, or where the payload is asked for."""
    if payload or content is None or name in _HEADERS_SHOWN:
        return f"{safe_text(name, 100)}: {safe(content, 200)}"
    return f"{safe_text(name, 100)}: {len(content):,} bytes"
