"""Loads of millions of events: written from a template of the SDK's own bytes, never all in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

import orjson

from benchmarks import topics
from benchmarks.errors import WrongResultError
from benchmarks.load import PROJECT, LoadRecord, tokens_of
from benchmarks.servers import Corner
from runledger.schemas.codec import encode_event
from runledger.schemas.run_events import UsageData, UsageReported
from runledger.schemas.topics import RUNS
from runledger.schemas.usage import TokenUsage

_RUN_ID, _EVENT_ID, _TOKENS = UUID(int=0), "0" * 16, 9_007_199_254_740_991


@dataclass(frozen=True)
class Bulk:
    """Usage reports of so many runs, which stay open: each run reports once a turn.

    Args:
        runs: how many.
    """

    runs: int

    @cached_property
    def _template(self) -> tuple[bytes, bytes, bytes, bytes]:
        """What stands around event id, run id and tokens."""
        usage = TokenUsage(
            input_tokens=_TOKENS, output_tokens=60, cost_usd=Decimal("0.028"), llm_calls=1, model="claude-sonnet-4-5"
        )
        event = UsageReported(
            event_id=_EVENT_ID,
            project_key=PROJECT,
            run_id=_RUN_ID,
            occurred_at=datetime.now(UTC),
            data=UsageData(token_usage=usage),
        )
        head, rest = encode_event(event).split(_EVENT_ID.encode(), 1)
        middle, rest = rest.split(str(_RUN_ID).encode(), 1)
        before, after = rest.split(str(_TOKENS).encode(), 1)
        return head, middle, before, after

    def records(self, turns: range) -> Iterator[LoadRecord]:
        """Write the reports of these turns."""
        head, middle, before, after = self._template
        key = f"{PROJECT}/".encode()
        for turn in turns:
            for run in range(self.runs):
                run_id = f"00000000-0000-4000-8000-{run:012x}".encode()
                event_id = f"{turn:06x}-{run:09x}"
                tokens = str(tokens_of(run, turn)).encode()
                value = b"".join((head, event_id.encode(), middle, run_id, before, tokens, after))
                yield LoadRecord(key + run_id, value, event_id)

    def check(self, corner: Corner, turns_of: Callable[[int], int], seconds: float = 60) -> None:
        """See that the snapshots hold every report of every run.

        Args:
            corner: whose snapshots.
            turns_of: number of turns that a run has reported.
            seconds: how long the reading may take.

        Raises:
            WrongResultError: a run's tokens or events are wrong; the message names the first.
        """
        latest: dict[bytes, bytes] = {}

        def take(key: bytes, value: bytes | None) -> None:
            if value is not None:
                latest[key] = value

        topics.read_all(corner.kafka, RUNS.name(corner.settings.topic_prefix), take, seconds)
        if len(latest) != self.runs:
            raise WrongResultError(f"{len(latest)} runs, not {self.runs}")
        for run in range(self.runs):
            key = f"{PROJECT}/00000000-0000-4000-8000-{run:012x}".encode()
            snapshot, turns = orjson.loads(latest.get(key, b'{"usage": {}}')), turns_of(run)
            found = snapshot["usage"].get("input_tokens"), snapshot.get("events")
            expected = sum(tokens_of(run, turn) for turn in range(turns)), turns
            if found != expected:
                raise WrongResultError(f"{key.decode()} came to {found}, not {expected}")
