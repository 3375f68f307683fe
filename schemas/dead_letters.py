"""A dead letter: the raw bytes as they came, and in the headers all that explains and repeats the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Literal, TypeAlias

from runledger.schemas.topics import DEAD_LETTERS

REASON = "runledger_reason"
DETAIL = "runledger_detail"
TOPIC = "runledger_topic"
PARTITION = "runledger_partition"
OFFSET = "runledger_offset"
LOGGED_AT_MS = "runledger_logged_at_ms"
"""Log time of the record, in milliseconds since 1970; with topic, partition and offset it names one record for ever."""
READER = "runledger_reader"
READER_VERSION = "runledger_reader_version"
CUT_FROM_BYTES = "runledger_cut_from_bytes"
"""Length of the value before it was cut; present only then."""
KEY_CUT_FROM_BYTES = "runledger_key_cut_from_bytes"
"""The same of the key."""
HEADERS_LEFT_OUT = "runledger_headers_left_out"
"""How many of the record's own headers had no room; present only then."""
ORIGINAL = "original."
"""Stands before the name of each header that the record itself had; so none of them can pass for one of ours."""
MAX_DETAIL = 500
MAX_KEY_BYTES = 1024 * 1024
MAX_HEADERS_BYTES = 256 * 1024
MAX_VALUE_BYTES = DEAD_LETTERS.max_message_bytes - MAX_KEY_BYTES - MAX_HEADERS_BYTES - 64 * 1024
"""The broker measures compressed: a record of 100 MB may pass into a topic, and as a dead letter block its reader."""
_HEADER_OVERHEAD_BYTES = 16

Reason: TypeAlias = Literal[
    "empty",
    "too_large",
    "not_json",
    "unknown_type",
    "invalid",
    "wrong_key",
    "refused_by_database",
    "unknown_rubric",
    "scorer_failed",
]
OriginalHeaders: TypeAlias = Sequence[tuple[str, bytes | None]]
ClientHeaders: TypeAlias = Mapping[str, bytes | str | None] | Iterable[tuple[str, bytes | str | None]] | None
"""Headers as the types of librdkafka's client allow them."""

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        "empty": "the record has no value",
        "too_large": "the record is larger than its topic allows",
        "not_json": "the value is not JSON: broken, not UTF-8, NaN, a number past all bounds, nested too deep",
        "unknown_type": "the type is none that this version of the reader knows",
        "invalid": "a field is missing, of the wrong kind or out of bounds; the detail names it",
        "wrong_key": "the record's key is not that of its project and run or agent",
        "refused_by_database": "Postgres refuses a value; the detail holds its SQLSTATE",
        "unknown_rubric": "no installed scorer answers for the job's rubric",
        "scorer_failed": "the scorer failed at every attempt",
    }
)
"""Every reason there is, and what it means."""


@cache
def reader_version() -> str:
    """Version of the program that reads."""
    return version("runledger")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be processed, where it stood, who gave up on it, and why.

    A key, a value or headers so large that no dead letter could hold them are cut; the whole record stands where it
    stood.

    Args:
        reason: one of `REASONS`.
        detail: one line for people; never holds the payload.
        topic: full name of the record's topic; partition and offset say where in it.
        reader: who refused it: runs (stage 1), agents (stage 2), sink or scoring.
        key, value: as they came.
        logged_at_ms: the record's own timestamp.
        original: the record's own headers, in their order.
    """

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    reader: str
    key: bytes | None
    value: bytes | None
    logged_at_ms: int
    original: OriginalHeaders = ()
    cut_from_bytes: int | None = field(default=None, init=False)
    key_cut_from_bytes: int | None = field(default=None, init=False)
    headers_left_out: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Cut what is too large."""
        if self.key is not None and len(self.key) > MAX_KEY_BYTES:
            object.__setattr__(self, "key_cut_from_bytes", len(self.key))
            object.__setattr__(self, "key", self.key[:MAX_KEY_BYTES])
        if self.value is not None and len(self.value) > MAX_VALUE_BYTES:
            object.__setattr__(self, "cut_from_bytes", len(self.value))
            object.__setattr__(self, "value", self.value[:MAX_VALUE_BYTES])
        kept = list(_within_bounds(self.original))
        object.__setattr__(self, "headers_left_out", len(self.original) - len(kept))
        object.__setattr__(self, "original", kept)

    def headers(self) -> list[tuple[str, bytes | None]]:
        """Headers as Kafka takes them; the detail is cut to 500 characters."""
        headers: list[tuple[str, bytes | None]] = [
            (REASON, self.reason.encode()),
            (DETAIL, self.detail[:MAX_DETAIL].encode(errors="backslashreplace")),
            (TOPIC, self.topic.encode()),
            (PARTITION, b"%d" % self.partition),
            (OFFSET, b"%d" % self.offset),
            (LOGGED_AT_MS, b"%d" % self.logged_at_ms),
            (READER, self.reader.encode()),
            (READER_VERSION, reader_version().encode()),
        ]
        if self.cut_from_bytes is not None:
            headers.append((CUT_FROM_BYTES, b"%d" % self.cut_from_bytes))
        if self.key_cut_from_bytes is not None:
            headers.append((KEY_CUT_FROM_BYTES, b"%d" % self.key_cut_from_bytes))
        if self.headers_left_out:
            headers.append((HEADERS_LEFT_OUT, b"%d" % self.headers_left_out))
        return headers + [(ORIGINAL + _escape(name), content) for name, content in self.original]


def as_they_came(headers: ClientHeaders) -> list[tuple[str, bytes | None]]:
    """Give a record's headers as a dead letter takes them: a list of bytes, which in practice they are."""
    headers = headers.items() if isinstance(headers, Mapping) else headers or ()
    return [(name, content.encode() if isinstance(content, str) else content) for name, content in headers]


def headers_of(ask: Callable[[], ClientHeaders]) -> list[tuple[str, bytes | None]]:
    """Ask a message for its headers, as they came; none where the name of one is not UTF-8.

    librdkafka's client cannot give such names and raises SystemError instead, which would end whoever reads on.

    Args:
        ask: the message's method `headers`.
    """
    try:
        return as_they_came(ask())
    except (SystemError, UnicodeDecodeError):
        return []


def original_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
    """Give back the headers the record itself had, from those of its dead letter."""
    prefix = len(ORIGINAL)
    return [(_unescape(name[prefix:]), content) for name, content in headers if name.startswith(ORIGINAL)]


def _within_bounds(headers: OriginalHeaders) -> Iterable[tuple[str, bytes | None]]:
    left = MAX_HEADERS_BYTES
    for name, content in headers:
        left -= len(name.encode(errors="replace")) + len(content or b"") + len(ORIGINAL) + _HEADER_OVERHEAD_BYTES
        if left < 0:
            return
        yield name, content


def _escape(name: str) -> str:
    """Write a name so that a client in C takes it whole: NUL would end it."""
    return name.replace("%", "%25").replace("\0", "%00")


def _unescape(name: str) -> str:
    return name.replace("%00", "\0").replace("%25", "%")
