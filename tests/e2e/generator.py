"""Makes runs at random and keeps its own ledger of what they must come to."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    FailureData,
    FailureRecorded,
    LoggedData,
    RecordedData,
    RunEnded,
    RunLogged,
    RunRecorded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage

PROJECT = "e2e"
RUNS_PER_AGENT = 24
"""Fewer than the 32 outcomes within which streaks do not depend on the order of arrival."""
PRODUCERS = 2
LATENESS = 6000
"""How many events may overtake one: about as many as pass during a whole run, so that its end may overtake its start.
At the kill test's rate that is 3 seconds, far less than a run's deadline."""
_ACTIVE_RUNS = 300
_LATE = 0.15
_REPEATED = 0.02
_STATUS = {"completed": "success", "failed": "failed", "interrupted": "partial"}


@dataclass
class ExpectedRun:
    """What the ledger must say of one run."""

    run_id: UUID
    agent_id: str
    events: list[AnyRunEvent]
    status: str = "running"
    outcome: str = ""
    kind: str = "lifecycle"
    timed_out: bool = False
    silent: bool = False
    ended_at: datetime | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None
    llm_calls: int | None = None
    failures: int = 0


@dataclass
class Generator:
    """A seeded set of runs.

    Args:
        seed: of everything random.
        events: about how many events to make.
    """

    seed: int
    events: int
    runs: list[ExpectedRun] = field(default_factory=list)
    sent: set[tuple[UUID, str]] = field(default_factory=set)
    duplicates: int = 0
    overtaken: int = 0
    """Events that were sent after a later one of their run."""
    ends_first: int = 0
    """Ends that were sent before their run's start."""
    reports_after_ends: int = 0
    """Usage sent after its run's end."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._clock = datetime.now(UTC) - timedelta(hours=2)
        made = 0
        while made < self.events:
            run = self._run(len(self.runs))
            self.runs.append(run)
            made += len(run.events)

    def _uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def _now(self) -> datetime:
        self._clock += timedelta(milliseconds=10)
        return self._clock

    def _run(self, number: int) -> ExpectedRun:
        run = ExpectedRun(self._uuid(), f"agent-{number // RUNS_PER_AGENT}", [])
        match self._random.random():
            case chance if chance < 0.08:
                self._record(run)
            case chance if chance < 0.16:
                self._log(run)
            case chance:
                self._live(run, ends=chance < 0.985)
        return run

    def _common(self, run: ExpectedRun) -> dict[str, object]:
        return {
            "event_id": str(self._uuid()),
            "project_key": PROJECT,
            "run_id": run.run_id,
            "occurred_at": self._now(),
        }

    def _record(self, run: ExpectedRun) -> None:
        event = RunRecorded(**self._common(run), agent_id=run.agent_id, data=RecordedData(summary="did it"))
        run.events.append(event)
        run.kind, run.status, run.outcome, run.ended_at = "record", "completed", "success", event.occurred_at

    def _log(self, run: ExpectedRun) -> None:
        status = self._random.choice(["success", "success", "partial", "failed"])
        run.silent = self._random.random() < 0.3
        actions = {} if run.silent else {"summary": "cycle done", "files": self._random.randrange(9)}
        event = RunLogged(
            **self._common(run), agent_id=run.agent_id, data=LoggedData(status=status, actions_taken=actions)
        )
        run.events.append(event)
        run.kind, run.outcome, run.ended_at = "log", status, event.occurred_at
        run.status = "failed" if status == "failed" else "completed"

    def _live(self, run: ExpectedRun, *, ends: bool) -> None:
        data = StartedData(summary="try it")
        run.events.append(RunStarted(**self._common(run), agent_id=run.agent_id, data=data))
        for _ in range(self._random.randrange(6, 18)):
            if self._random.random() < 0.03:
                failure = FailureData(summary="a tool failed", error="ETIMEDOUT 10.0.0.5:5432")
                run.events.append(FailureRecorded(**self._common(run), data=failure))
                run.failures += 1
            else:
                self._report(run)
        if ends:
            final = self._end(run)
            for _ in range(self._random.randrange(3) if self._random.random() < 0.1 else 0):
                self._report(run)
            self._settle(run, final)
        else:
            run.status, run.outcome, run.timed_out, run.silent = "interrupted", "failed", True, True
            run.ended_at = run.events[-1].occurred_at

    def _usage(self) -> TokenUsage:
        return TokenUsage(
            input_tokens=self._random.randrange(10_000),
            output_tokens=self._random.randrange(1000),
            cost_usd=Decimal(self._random.randrange(10**6)) / 10**6,
            llm_calls=1,
            model="claude-sonnet-4-5",
        )

    def _report(self, run: ExpectedRun) -> None:
        usage = self._usage()
        run.events.append(UsageReported(**self._common(run), data=UsageData(token_usage=usage)))
        run.input_tokens = (run.input_tokens or 0) + (usage.input_tokens or 0)
        run.output_tokens = (run.output_tokens or 0) + (usage.output_tokens or 0)
        run.cost_usd = (run.cost_usd or Decimal(0)) + (usage.cost_usd or Decimal(0))
        run.llm_calls = (run.llm_calls or 0) + 1

    def _end(self, run: ExpectedRun) -> TokenUsage | None:
        run.status = self._random.choices(["completed", "failed", "interrupted"], [80, 15, 5])[0]
        run.outcome, run.silent = _STATUS[run.status], self._random.random() < 0.2
        final = self._usage() if self._random.random() < 0.2 else None
        data = EndedData(status=run.status, summary=None if run.silent else "done", token_usage=final)
        event = RunEnded(**self._common(run), data=data)
        run.events.append(event)
        run.ended_at = event.occurred_at
        return final

    def _settle(self, run: ExpectedRun, final: TokenUsage | None) -> None:
        if final is not None:
            run.input_tokens, run.output_tokens = final.input_tokens, final.output_tokens
            run.cost_usd, run.llm_calls = final.cost_usd, final.llm_calls

    def stream(self) -> Iterator[tuple[int, AnyRunEvent]]:
        """Give (producer, event): runs interleaved, some events late, about one in fifty twice, by any producer."""
        waiting: list[tuple[int, int, bool, AnyRunEvent]] = []
        told: dict[UUID, list[AnyRunEvent]] = defaultdict(list)
        number = 0
        for now, event in enumerate(self._in_order()):
            for repeated in (False, True) if self._random.random() < _REPEATED else (False,):
                late = repeated or self._random.random() < _LATE
                due = now + (self._random.randrange(1, LATENESS) if late else 0)
                heapq.heappush(waiting, (due, number, repeated, event))
                number += 1
            while waiting and waiting[0][0] <= now:
                yield self._give(*heapq.heappop(waiting)[2:], told)
        while waiting:
            yield self._give(*heapq.heappop(waiting)[2:], told)

    def _give(self, repeated: bool, event: AnyRunEvent, told: dict[UUID, list[AnyRunEvent]]) -> tuple[int, AnyRunEvent]:
        """Count what is special about an event as it goes out."""
        before = told[event.run_id]
        if repeated:
            self.duplicates += 1
        else:
            self.sent.add((event.run_id, event.event_id))
            self.overtaken += any(event.occurred_at < other.occurred_at for other in before)
            self.ends_first += isinstance(event, RunStarted) and any(isinstance(other, RunEnded) for other in before)
            self.reports_after_ends += isinstance(event, UsageReported) and any(
                isinstance(other, RunEnded) for other in before
            )
            before.append(event)
        return self._random.randrange(PRODUCERS), event

    def _in_order(self) -> Iterator[AnyRunEvent]:
        """Give the events of several runs at a time, each run's in order."""
        waiting = iter(self.runs)
        active: list[Iterator[AnyRunEvent]] = []
        while True:
            while len(active) < _ACTIVE_RUNS and (run := next(waiting, None)) is not None:
                active.append(iter(run.events))
            if not active:
                return
            chosen = self._random.randrange(len(active))
            event = next(active[chosen], None)
            if event is None:
                active[chosen] = active[-1]
                active.pop()
            else:
                yield event

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
