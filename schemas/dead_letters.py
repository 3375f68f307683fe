"""The headers of a dead letter; its value is the raw bytes as they came."""

from __future__ import annotations

from dataclasses import dataclass

REASON = "runledger_reason"
DETAIL = "runledger_detail"
TOPIC = "runledger_topic"
PARTITION = "runledger_partition"
OFFSET = "runledger_offset"
READER = "runledger_reader"
MAX_DETAIL = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be processed, where it stood, who gave up on it, and why."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    reader: str
    key: bytes | None
    value: bytes | None

    def headers(self) -> list[tuple[str, bytes]]:
        """Headers as Kafka takes them; the detail is cut to 500 characters."""
        return [
            (REASON, self.reason.encode()),
            (DETAIL, self.detail[:MAX_DETAIL].encode()),
            (TOPIC, self.topic.encode()),
            (PARTITION, str(self.partition).encode()),
            (OFFSET, str(self.offset).encode()),
            (READER, self.reader.encode()),
        ]
