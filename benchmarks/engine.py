"""Our engine on the peers' task: JSON decode, sum per key, durable state. Run as `python -m benchmarks.engine SOURCE`.

The same Faust app, batching, owners and transactional stores as the ledger's; only the stage is another.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TypeAlias

import orjson

from runledger.logs import configure
from runledger.processors.app import run_processor
from runledger.processors.records import Changes, Due, Record
from runledger.processors.settings import ProcessorSettings
from runledger.schemas.errors import DecodeError
from runledger.schemas.topics import DEAD_LETTERS, RUN_POSITIONS, RUNS

Sum: TypeAlias = tuple[int, int]
"""(tokens, events)"""


class SumStage:
    """Sums input_tokens per key.

    Args:
        settings: prefix of the changelog and the positions.
        source: topic to read.
    """

    name = "sums"
    deduplicates = False
    policy_revision = 0

    def __init__(self, settings: ProcessorSettings, source: str) -> None:
        prefix = settings.topic_prefix
        self.source = source
        self.changelog = RUNS.name(prefix)
        self.positions = RUN_POSITIONS.name(prefix)
        self.dead_letters = DEAD_LETTERS.name(prefix)
        self.commit_interval_seconds = settings.run_commit_interval_seconds

    def restore(self, value: bytes) -> Sum:
        """Read a sum from the changelog."""
        tokens, events = orjson.loads(value)
        return tokens, events

    def due_at(self, state: Sum) -> datetime | None:
        """Nothing expires."""
        return None

    def settled_at(self, state: Sum) -> datetime | None:
        """Nothing leaves memory."""
        return None

    def apply(self, state: Sum | None, record: Record, logged_at: datetime, changes: Changes[Sum]) -> None:
        """Add one event.

        Raises:
            DecodeError: the record is not JSON.
        """
        try:
            document = orjson.loads(record.value or b"")
        except orjson.JSONDecodeError as error:
            raise DecodeError("not_json", error.msg) from error
        usage = document["data"].get("token_usage")
        tokens, events = state or (0, 0)
        changes.snapshots[record.key or b""] = tokens + (usage["input_tokens"] if usage else 0), events + 1

    def expire(self, key: bytes, state: Sum, due: Due, changes: Changes[Sum]) -> None:
        """Nothing expires."""


if __name__ == "__main__":
    configure("engine")
    processor_settings = ProcessorSettings()
    run_processor(processor_settings, [SumStage(processor_settings, sys.argv[1])])
