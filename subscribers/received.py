"""What a subscriber receives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeAlias, TypeVar

RecordT = TypeVar("RecordT")

TombstoneReason: TypeAlias = Literal["evicted", "erased", "removed"]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The end of a key in a compacted topic; what it means depends on why.

    Args:
        reason: evicted = the processors let go of a finished run to save memory: keep what you have, it is still true;
            erased = an operator had it erased: delete what you have; removed = it was taken back, with no more said.
    """

    reason: TombstoneReason


@dataclass(frozen=True, slots=True)
class Received(Generic[RecordT]):
    """One record, and where it stood.

    Args:
        value: the validated record, or a Tombstone.
        key: the record's key, `project/run_id` or `project/agent_id`.
        topic: full topic name.
        partition: its number.
        offset: of the record.
        logged_at: log time, when the broker took it.
    """

    value: RecordT
    key: str
    topic: str
    partition: int
    offset: int
    logged_at: datetime

    @property
    def project_key(self) -> str:
        """Whose it is, by its key."""
        return self.key.partition("/")[0]
