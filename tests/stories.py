"""Runs made up from a seed, and the order in which their events go out: interleaved, some late, some twice."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    EndStatus,
    FailureData,
    FailureRecorded,
    LoggedData,
    LogStatus,
    RecordedData,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage

RUNS_PER_AGENT = 24
"""Fewer than the 32 outcomes within which streaks do not depend on the order of arrival."""
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
_MODELS = ("claude-sonnet-4-5", "gpt-4o", "house-model-1")


@dataclass(frozen=True, slots=True)
class Habits:
    """How often things happen, each as a share of all; and how many.

    Args:
        late: events that others overtake.
        lateness: by how many events at most.
        repeated: events sent a second time.
        endless: runs whose end is never told.
        afterthoughts: runs that report usage after their end.
        unpriced: reports of usage that do not name its cost.
        skew_seconds: agents' clocks are off by up to so much, either way.
        steps: fewest and most events between a run's start and its end.
        at_once: runs under way at a time.
    """

    late: float = 0.15
    lateness: int = 300
    repeated: float = 0.03
    endless: float = 0.01
    afterthoughts: float = 0.05
    unpriced: float = 0.3
    skew_seconds: float = 0
    steps: tuple[int, int] = (3, 11)
    at_once: int = 60


@dataclass
class Story:
    """A set of runs of several agents in several projects; the same for the same seed.

    Args:
        seed: of everything random.
        events: about how many events to make.
        habits: how often things happen.
        projects: keys of the projects.
        number: keeps stories of one test apart: another number has other runs and agents.
    """

    seed: int
    events: int
    habits: Habits = Habits()
    projects: tuple[str, ...] = ("alpha", "beta")
    number: int = 0
    repeats: int = field(default=0, init=False)
    """Events sent a second time so far."""

    def __post_init__(self) -> None:
        self._dice = random.Random(f"{self.seed}/{self.number}")
        self._clock = BEGAN + timedelta(days=self.number)

    def __iter__(self) -> Iterator[AnyRunEvent]:
        """Give events in the order they are sent."""
        for event, is_repeat in self.sent(self.runs()):
            self.repeats += is_repeat
            yield event

    def runs(self) -> Iterator[list[AnyRunEvent]]:
        """Make up run after run, each one's events in their order, until there are enough."""
        made = number = 0
        while made < self.events:
            run = list(self._run(number))
            made, number = made + len(run), number + 1
            yield run

    def sent(self, runs: Iterable[list[AnyRunEvent]]) -> Iterator[tuple[AnyRunEvent, bool]]:
        """Give (event, whether it is a repeat) in the order they are sent: runs interleaved, some late, some twice."""
        waiting: list[tuple[int, int, AnyRunEvent, bool]] = []
        number = 0
        for now, event in enumerate(self._interleaved(runs)):
            for is_repeat in (False, True) if self._happens(self.habits.repeated) else (False,):
                late = self._happens(self.habits.late) or is_repeat
                due = now + (self._dice.randint(1, self.habits.lateness) if late else 0)
                heapq.heappush(waiting, (due, number, event, is_repeat))
                number += 1
            while waiting and waiting[0][0] <= now:
                yield heapq.heappop(waiting)[2:]
        while waiting:
            yield heapq.heappop(waiting)[2:]

    def _interleaved(self, runs: Iterable[list[AnyRunEvent]]) -> Iterator[AnyRunEvent]:
        """Give the events of several runs at a time, each run's in order."""
        coming = iter(runs)
        active: list[Iterator[AnyRunEvent]] = []
        while True:
            while len(active) < self.habits.at_once and (run := next(coming, None)) is not None:
                active.append(iter(run))
            if not active:
                return
            chosen = self._dice.randrange(len(active))
            event = next(active[chosen], None)
            if event is None:
                active[chosen] = active[-1]
                active.pop()
            else:
                yield event

    def _happens(self, share: float) -> bool:
        return self._dice.random() < share

    def _run(self, number: int) -> Iterator[AnyRunEvent]:
        project = self.projects[number % len(self.projects)]
        agent = number // len(self.projects) // RUNS_PER_AGENT
        run = {"project_key": project, "run_id": self._uuid()}
        named = {"agent_id": f"agent-{self.number}-{agent}"}
        skew = timedelta(seconds=random.Random(f"{project}/{agent}").uniform(-1, 1) * self.habits.skew_seconds)
        kind = self._dice.random()
        if kind < 0.08:
            yield RunRecorded(**run, **named, **self._told(skew), data=RecordedData(summary="did it", ticket="T-1"))
        elif kind < 0.16:
            status: LogStatus = self._dice.choice(get_args(LogStatus))
            actions = self._dice.choice([{}, {"summary": "cycle done", "files": self._dice.randrange(9)}])
            yield RunLogged(**run, **named, **self._told(skew), data=LoggedData(status=status, actions_taken=actions))
        else:
            yield from self._life(run, named, skew)

    def _life(self, run: dict[str, Any], named: dict[str, str], skew: timedelta) -> Iterator[AnyRunEvent]:
        yield RunStarted(**run, **named, **self._told(skew), data=StartedData(summary="try it"))
        for _ in range(self._dice.randint(*self.habits.steps)):
            yield self._step({**run, **self._told(skew)})
        if self._happens(self.habits.endless):
            return
        status: EndStatus = self._dice.choices(get_args(EndStatus), [75, 20, 5])[0]
        final = self._usage() if self._happens(0.2) else None
        summary = self._dice.choice(["done", "done", None])
        yield RunEnded(**run, **self._told(skew), data=EndedData(status=status, summary=summary, token_usage=final))
        for _ in range(self._dice.randint(1, 2) if self._happens(self.habits.afterthoughts) else 0):
            yield UsageReported(**run, **self._told(skew), data=UsageData(token_usage=self._usage()))

    def _step(self, common: dict[str, Any]) -> AnyRunEvent:
        match self._dice.random():
            case chance if chance < 0.05:
                return FailureRecorded(**common, data=FailureData(summary="a tool failed", error="ETIMEDOUT"))
            case chance if chance < 0.1:
                return RunHeartbeat(**common)
            case _:
                return UsageReported(**common, data=UsageData(token_usage=self._usage()))

    def _told(self, skew: timedelta) -> dict[str, Any]:
        self._clock += timedelta(milliseconds=10)
        return {"event_id": str(self._uuid()), "occurred_at": self._clock + skew}

    def _uuid(self) -> UUID:
        return UUID(int=self._dice.getrandbits(128), version=4)

    def _usage(self) -> TokenUsage:
        return TokenUsage(
            input_tokens=self._dice.randrange(10_000),
            output_tokens=self._dice.randrange(1000),
            cost_usd=None if self._happens(self.habits.unpriced) else Decimal(self._dice.randrange(10**6)) / 10**6,
            llm_calls=1,
            model=self._dice.choice(_MODELS),
        )
