"""One record of a topic, as the sink takes it from the broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from runledger.schemas.dead_letters import REASON, ClientHeaders
from runledger.schemas.topics import AGENTS, INCIDENTS, RUN_EVENTS, RUN_LOG, RUN_SCORES, RUNS, SETTINGS
from runledger.sinks.errors import StopLoudlyError

SOURCES = (RUN_EVENTS, RUNS, AGENTS, RUN_LOG, INCIDENTS, RUN_SCORES, SETTINGS)
"""The topics the sink reads."""

Partition: TypeAlias = tuple[str, int]
"""(full topic name, partition)."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record, where it stands and when the log took it.

    Args:
        topic: full name of its topic.
        suffix: the name without the prefix: what kind of record it is.
        logged_at: log time.
        reason: why a tombstone was written; None on other records.
        read_headers: gives the record's headers; they are wanted only of the few that are refused.
    """

    topic: str
    suffix: str
    partition: int
    offset: int
    logged_at: datetime
    key: bytes | None
    value: bytes | None
    reason: str | None = None
    read_headers: Callable[[], ClientHeaders] = field(default=tuple, compare=False)

    @property
    def source(self) -> Partition:
        """Topic and partition it stands in."""
        return self.topic, self.partition


def log_time(milliseconds: int) -> datetime:
    """Turn a record's timestamp into a time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def record_of(message: Message, prefix: str) -> Record:
    """Read a message that holds no error.

    Raises:
        StopLoudlyError: the topic keeps its producers' times, which say nothing about when the log took a record.
    """
    topic = message.topic() or ""
    kind, milliseconds = message.timestamp()
    if kind != TIMESTAMP_LOG_APPEND_TIME:
        raise StopLoudlyError(
            "the topic is not in log time: set message.timestamp.type to LogAppendTime",
            topic=topic,
            partition=message.partition() or 0,
        )
    reason = dict(message.headers() or ()).get(REASON) if message.value() is None else None
    return Record(
        topic=topic,
        suffix=topic.removeprefix(prefix),
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        logged_at=log_time(milliseconds),
        key=message.key(),
        value=message.value(),
        reason=reason.decode(errors="replace") if isinstance(reason, bytes) else reason,
        read_headers=message.headers,
    )
