"""The headers of a dead letter; its value is the raw bytes as they came."""

from __future__ import annotations

from dataclasses import dataclass, field

from runledger.schemas.topics import DEAD_LETTERS

REASON = "runledger_reason"
DETAIL = "runledger_detail"
TOPIC = "runledger_topic"
PARTITION = "runledger_partition"
OFFSET = "runledger_offset"
READER = "runledger_reader"
CUT_FROM_BYTES = "runledger_cut_from_bytes"
"""Length of the value before it was cut; present only then."""
MAX_DETAIL = 500
MAX_KEY_BYTES = 1024 * 1024
MAX_VALUE_BYTES = DEAD_LETTERS.max_message_bytes - MAX_KEY_BYTES - 64 * 1024
"""The broker measures compressed: a record of 100 MB may pass into a topic, and as a dead letter block its reader."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be processed, where it stood, who gave up on it, and why.

    A key or value so large that no dead letter could hold it is cut; the whole record stands where it stood.
    """

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    reader: str
    key: bytes | None
    value: bytes | None
    cut_from_bytes: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Cut what is too large."""
        if self.key is not None and len(self.key) > MAX_KEY_BYTES:
            object.__setattr__(self, "key", self.key[:MAX_KEY_BYTES])
        if self.value is not None and len(self.value) > MAX_VALUE_BYTES:
            object.__setattr__(self, "cut_from_bytes", len(self.value))
            object.__setattr__(self, "value", self.value[:MAX_VALUE_BYTES])

    def headers(self) -> list[tuple[str, bytes]]:
        """Headers as Kafka takes them; the detail is cut to 500 characters."""
        headers = [
            (REASON, self.reason.encode()),
            (DETAIL, self.detail[:MAX_DETAIL].encode(errors="backslashreplace")),
            (TOPIC, self.topic.encode()),
            (PARTITION, str(self.partition).encode()),
            (OFFSET, str(self.offset).encode()),
            (READER, self.reader.encode()),
        ]
        if self.cut_from_bytes is not None:
            headers.append((CUT_FROM_BYTES, str(self.cut_from_bytes).encode()))
        return headers
