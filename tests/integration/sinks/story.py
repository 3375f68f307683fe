"""Made-up lives of runs, folded by the processors' own reducers into the records they would write."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

from runledger.processors import ledger, streaks
from runledger.processors.steps import At
from runledger.schemas.codec import encode
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.identifiers import agent_key
from runledger.schemas.lean_events import AnyTokenUsage, lean
from runledger.schemas.outcomes import Incident, RunOutcome
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    EndStatus,
    FailureData,
    FailureRecorded,
    FailureResolved,
    LoggedData,
    LogStatus,
    RecordedData,
    ResolvedData,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    RunTimedOut,
    StartedData,
    TimedOutData,
    UsageData,
    UsageReported,
)
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import AGENTS, INCIDENTS, RUN_LOG
from runledger.schemas.usage import TokenUsage
from runledger.sinks.records import Record
from tests.unit.sinks.build import NOON, PROJECT, event_record, record, run_number, run_record

_ACTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"summary": " \u2003\n"},
    {"a": {"b": ["", None, {}]}},
    {"n": 0},
    {"no_work": None},
    {"summary": "did it", "cost": 1e22, "list": [1, {"x": False}]},
    {"summary": 5},
    {"text": "é\u00a0"},
)

_KINDS = ("no", "disk full")


def _no_price(_usage: AnyTokenUsage, _at: datetime) -> Decimal | None:
    return None


@dataclass(slots=True)
class Story:
    """Folds events as the processors do, and keeps the records of all topics."""

    records: list[Record] = field(default_factory=list)
    runs: dict[UUID, RunSnapshot | None] = field(default_factory=dict)
    agents: dict[str, AgentHealth] = field(default_factory=dict)
    seen: set[tuple[UUID, str]] = field(default_factory=set)
    outcomes: int = 0

    def tell(self, events: Sequence[AnyRunEvent]) -> list[Record]:
        """Fold events, each a second after the one before it."""
        for event in events:
            self._tell(event)
        return self.records

    def _tell(self, event: AnyRunEvent) -> None:
        delivery = event_record(self._next("run-events"), event)
        self.records.append(delivery)
        if (event.run_id, event.event_id) in self.seen:
            return
        self.seen.add((event.run_id, event.event_id))
        at = At(delivery.offset, delivery.logged_at)
        step = ledger.apply(self.runs.get(event.run_id), lean(event), at, _no_price)
        if step.changed and step.state is not None:
            self.runs[event.run_id] = step.state
            self.records.append(run_record(self._next("runs"), step.state))
        for outcome in step.emitted:
            self._conclude(outcome, delivery.logged_at)

    def _conclude(self, outcome: RunOutcome, logged_at: datetime) -> None:
        at = At(self.outcomes, logged_at)
        self.outcomes += 1
        step = streaks.apply(self.agents.get(outcome.agent_id), outcome, at, streaks.StreakPolicy())
        self.agents[outcome.agent_id] = step.state
        key = agent_key(outcome.project_key, outcome.agent_id)
        self.records.append(record(AGENTS, self._next("agents"), key, encode(step.state)))
        for emitted in step.emitted:
            topic = INCIDENTS if isinstance(emitted, Incident) else RUN_LOG
            self.records.append(record(topic, self._next(topic.suffix), key, encode(emitted)))

    def _next(self, suffix: str) -> int:
        return sum(one.suffix == suffix for one in self.records)


def _usage(dice: random.Random) -> TokenUsage:
    fields: dict[str, Any] = {}
    for name in ("input_tokens", "output_tokens", "total_tokens", "llm_calls", "cache_read_tokens", "reasoning_tokens"):
        if dice.random() < 0.5:
            fields[name] = dice.choice([0, 3, 1200, 2**53 - 1])
    if dice.random() < 0.6:
        fields["cost_usd"] = Decimal(dice.randrange(10**6)) / 10**7
    if dice.random() < 0.4:
        fields["model"] = dice.choice(["b-model", "A-model", "é-model"])
    return TokenUsage(**fields)


def random_event(  # noqa: PLR0911  # one for each type of event
    dice: random.Random, number: int, runs: int, agents: int
) -> AnyRunEvent:
    """Make up an event of one of so many runs."""
    run = dice.randrange(runs)
    common: dict[str, Any] = {
        "event_id": f"e-{number}",
        "project_key": PROJECT,
        "run_id": run_number(run),
        "occurred_at": NOON + timedelta(seconds=dice.choice([run, number, number, dice.randrange(3000), 10**6])),
    }
    named = common | {"agent_id": f"agent-{run % agents}"}
    perhaps = dice.choice([common, named])
    traces: list[dict[str, Any]] = [{"step": 1}] if dice.random() < 0.2 else []
    summary = dice.choice([None, "", " ", "done"])
    task = dice.choice([None, "build", "deploy"])
    match dice.randrange(12):
        case 0 | 1:
            return RunStarted(
                **named, data=StartedData(summary=summary, parent_run_id=dice.choice([None, UUID(int=3)]), task_id=task)
            )
        case 2 | 3 | 4:
            return UsageReported(**perhaps, data=UsageData(token_usage=_usage(dice), traces=traces))
        case 5 | 6:
            status: EndStatus = dice.choice(get_args(EndStatus))
            final = dice.choice([None, _usage(dice)])
            meta = dice.choice(_ACTIONS)
            data = EndedData(status=status, summary=summary, meta=meta, token_usage=final, traces=traces)
            return RunEnded(**perhaps, data=data)
        case 7:
            failure = FailureData(summary=dice.choice(_KINDS), task_id=task, detached=dice.random() < 0.3)
            return FailureRecorded(**perhaps, data=failure)
        case 8:
            return RunHeartbeat(**perhaps)
        case 9:
            logged: LogStatus = dice.choice(get_args(LogStatus))
            return RunLogged(**named, data=LoggedData(status=logged, actions_taken=dice.choice(_ACTIONS)))
        case 10:
            kind = fingerprint(PROJECT, dice.choice(_KINDS))
            return FailureResolved(**perhaps, data=ResolvedData(fingerprint=kind, note=summary, by="ops"))
        case _:
            ticket = dice.choice([None, "T-1"])
            return RunRecorded(
                **named, data=RecordedData(summary=summary or "", ticket=ticket, meta=dice.choice(_ACTIONS))
            )


def random_story(seed: int, events: int, runs: int, agents: int) -> Story:
    """Make up a story with repeats, timeouts in and out of place, late events and clocks ahead."""
    dice = random.Random(seed)
    story = Story()
    told: list[AnyRunEvent] = []
    for number in range(events):
        event = random_event(dice, number, runs, agents)
        if told and dice.random() < 0.1:
            event = dice.choice(told)
        state = story.runs.get(event.run_id)
        if state is not None and dice.random() < 0.1:
            event = RunTimedOut(
                event_id=f"t-{number}",
                project_key=PROJECT,
                run_id=state.run_id,
                occurred_at=state.last_occurred_at or state.last_logged_at,
                data=TimedOutData(last_version=max(1, state.version - dice.choice([0, 0, 1]))),
            )
        told.append(event)
        story.tell([event])
    return story
