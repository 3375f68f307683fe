"""The events every contestant reads, and what they come to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias
from uuid import UUID

from runledger.schemas.codec import encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    RunEnded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage

PROJECT = "bench"
AGENTS = 50

Totals: TypeAlias = dict[str, tuple[int, int]]
"""{project/run_id: (sum of input_tokens, number of events)}"""


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One record of run-events."""

    key: bytes
    value: bytes
    event_id: str


@dataclass(frozen=True)
class Load:
    """So many events of so many runs, all open at once: the runs take turns, so that no two neighbours share one.

    Each run begins with its start, ends with its end, and reports usage between them.

    Args:
        count: number of events.
        runs: number of runs; a divisor of `count`.
        seed: of everything random.
    """

    count: int
    runs: int
    seed: int = 1

    def __post_init__(self) -> None:
        if self.count % self.runs or self.count // self.runs < 3:  # noqa: PLR2004  # a start, a report and an end
            raise ValueError("each run takes the same number of events, three at least")

    @property
    def events_per_run(self) -> int:
        """Events of each run, its start and end included."""
        return self.count // self.runs

    def events(self) -> Iterator[AnyRunEvent]:
        """Make the events, the same ones each time but for their ids' randomness: those come from the seed too."""
        chance = random.Random(self.seed)  # noqa: S311  # repeatable, not secret
        ids = [UUID(int=chance.getrandbits(128), version=4) for _ in range(self.runs)]
        began = datetime.now(UTC) - timedelta(minutes=10)
        for number in range(self.count):
            turn, run = divmod(number, self.runs)
            yield self._event(turn, run, ids[run], began + timedelta(milliseconds=number / 1000), chance)

    def _event(self, turn: int, run: int, run_id: UUID, at: datetime, chance: random.Random) -> AnyRunEvent:
        event_id = str(UUID(int=chance.getrandbits(128), version=4))
        if turn == 0:
            agent_id = f"agent-{run % AGENTS:02}"
            return RunStarted(
                event_id=event_id,
                project_key=PROJECT,
                run_id=run_id,
                occurred_at=at,
                agent_id=agent_id,
                data=StartedData(summary="answer a question"),
            )
        if turn == self.events_per_run - 1:
            ended = EndedData(status="completed", summary="answered it")
            return RunEnded(event_id=event_id, project_key=PROJECT, run_id=run_id, occurred_at=at, data=ended)
        usage = TokenUsage(
            input_tokens=tokens_of(run, turn),
            output_tokens=50 + turn,
            cost_usd=Decimal(turn) / 1000,
            llm_calls=1,
            model="claude-sonnet-4-5",
        )
        return UsageReported(
            event_id=event_id,
            project_key=PROJECT,
            run_id=run_id,
            occurred_at=at,
            data=UsageData(token_usage=usage),
        )

    @cached_property
    def records(self) -> list[LoadRecord]:
        """The events as the SDK writes them."""
        return [
            LoadRecord(run_key(event.project_key, event.run_id), encode_event(event), event.event_id)
            for event in self.events()
        ]

    @cached_property
    def mean_bytes(self) -> float:
        """Mean size of a record's value."""
        return sum(len(record.value) for record in self.records) / self.count

    def totals(self, count: int | None = None) -> Totals:
        """What the first `count` events come to; all of them if left out."""
        count = self.count if count is None else count
        totals: Totals = {}
        for run in range(min(self.runs, count)):
            turns = range(run, count, self.runs)
            reports = range(1, min(len(turns), self.events_per_run - 1))
            tokens = sum(tokens_of(run, turn) for turn in reports)
            totals[self.records[run].key.decode()] = tokens, len(turns)
        return totals


def tokens_of(run: int, turn: int) -> int:
    """Input tokens of a run's report: different enough that a lost or doubled event shows in the sum."""
    return 100 + (run * 7919 + turn * 104_729) % 8999
