"""A story's own ledger: what its runs must come to, said by who made them up and not by what stands in the log."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from runledger.schemas.run_events import (
    AnyRunEvent,
    FailureRecorded,
    RunEnded,
    RunLogged,
    RunRecorded,
    RunStarted,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage
from tests.stories import Habits, Story

PROJECT = "e2e"
PRODUCERS = 2
LATENESS = 6000
"""How many events may overtake one: about as many as pass during a whole run, so that its end may overtake its start.
At the kill test's rate that is 3 seconds, far less than a run's deadline."""
HABITS = Habits(
    lateness=LATENESS, repeated=0.02, endless=0.015, afterthoughts=0.07, unpriced=0, steps=(6, 17), at_once=300
)
_OUTCOMES = {"completed": "success", "failed": "failed", "interrupted": "partial"}


@dataclass
class ExpectedRun:
    """What the ledger must say of one run.

    Args:
        events: all that is told of it, in order.
    """

    events: Sequence[AnyRunEvent]
    status: str = "interrupted"
    outcome: str = "failed"
    kind: str = "lifecycle"
    timed_out: bool = True
    silent: bool = True
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None
    llm_calls: int | None = None
    failures: int = 0

    def __post_init__(self) -> None:
        self.run_id = self.events[0].run_id
        self.agent_id = str(self.events[0].agent_id)
        self.ended_at: datetime = self.events[-1].occurred_at
        for event in self.events:
            self._take(event)
        finals = [event.data.token_usage for event in self.events if isinstance(event, RunEnded)]
        if finals and finals[0] is not None:  # whole, and so in the place of all reports
            self.input_tokens = self.output_tokens = self.cost_usd = self.llm_calls = None
            self._use(finals[0])

    def _take(self, event: AnyRunEvent) -> None:
        match event:
            case RunRecorded():
                self._end(event, "record", "completed", "success", silent=False)
            case RunLogged(data=data):
                status = "failed" if data.status == "failed" else "completed"
                self._end(event, "log", status, data.status, silent=not data.actions_taken)
            case RunEnded(data=data):
                self._end(event, "lifecycle", data.status, _OUTCOMES[data.status], silent=data.summary is None)
            case UsageReported(data=data):
                self._use(data.token_usage)
            case FailureRecorded():
                self.failures += 1
            case _:
                pass

    def _end(self, event: AnyRunEvent, kind: str, status: str, outcome: str, *, silent: bool) -> None:
        self.kind, self.status, self.outcome, self.silent = kind, status, outcome, silent
        self.timed_out, self.ended_at = False, event.occurred_at

    def _use(self, usage: TokenUsage) -> None:
        self.input_tokens = (self.input_tokens or 0) + (usage.input_tokens or 0)
        self.output_tokens = (self.output_tokens or 0) + (usage.output_tokens or 0)
        self.cost_usd = (self.cost_usd or Decimal(0)) + (usage.cost_usd or Decimal(0))
        self.llm_calls = (self.llm_calls or 0) + (usage.llm_calls or 0)


class Generator:
    """A seeded set of runs, and counts of what was special about them as they went out.

    Args:
        seed: of everything random.
        events: about how many events to make.
    """

    def __init__(self, seed: int, events: int) -> None:
        self._story = Story(seed, events, HABITS, (PROJECT,))
        self._senders = random.Random(seed)
        self.runs = [ExpectedRun(told) for told in self._story.runs()]
        self.sent: set[tuple[UUID, str]] = set()
        self.duplicates = 0
        self.overtaken = 0
        """Events that were sent after a later one of their run."""
        self.ends_first = 0
        """Ends that were sent before their run's start."""
        self.reports_after_ends = 0
        """Usage sent after its run's end."""

    def stream(self) -> Iterator[tuple[int, AnyRunEvent]]:
        """Give (producer, event) in the order they are sent; a repeat may come from any producer."""
        told: dict[UUID, list[AnyRunEvent]] = defaultdict(list)
        for event, is_repeat in self._story.sent(list(run.events) for run in self.runs):
            if is_repeat:
                self.duplicates += 1
            else:
                self._count(event, told[event.run_id])
            yield self._senders.randrange(PRODUCERS), event

    def _count(self, event: AnyRunEvent, before: list[AnyRunEvent]) -> None:
        """Count what is special about an event as it goes out."""
        has_ended = any(isinstance(other, RunEnded) for other in before)
        self.sent.add((event.run_id, event.event_id))
        self.overtaken += any(event.occurred_at < other.occurred_at for other in before)
        self.ends_first += isinstance(event, RunStarted) and has_ended
        self.reports_after_ends += isinstance(event, UsageReported) and has_ended
        before.append(event)

    def streaks(self) -> dict[UUID, tuple[int, int]]:
        """{run: (silent, failing)} streaks of each run's row, in the order the agent's runs ended."""
        rows: dict[UUID, tuple[int, int]] = {}
        for runs in self.by_agent().values():
            silence = failures = 0
            for run in runs:
                silence = silence + 1 if run.silent else 0
                if run.outcome == "failed":
                    failures += 1
                elif run.outcome == "success" and run.kind != "record":
                    failures = 0
                rows[run.run_id] = silence, failures
        return rows

    def by_agent(self) -> dict[str, list[ExpectedRun]]:
        """Each agent's runs, in the order they ended."""
        agents: dict[str, list[ExpectedRun]] = defaultdict(list)
        for run in sorted(self.runs, key=lambda run: (run.ended_at, run.run_id)):
            agents[run.agent_id].append(run)
        return agents
