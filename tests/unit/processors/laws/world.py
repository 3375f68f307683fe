"""Both stages over one broker in memory: stage 1's committed outcomes are stage 2's log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from runledger.processors.agent_stage import AgentStage
from runledger.processors.fold import Stage, fold, tick
from runledger.processors.policies import Policies, default_policy
from runledger.processors.pricing import estimate_usd
from runledger.processors.records import log_time
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode, decode_event, decode_run_log
from runledger.schemas.outcomes import Incident, RunOutcome
from runledger.schemas.run_events import AnyRunEvent, RunErased, RunTimedOut
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from tests.unit.processors.laws.agents_model import Agent, Arrived
from tests.unit.processors.laws.model import Said, Told, recount
from tests.unit.processors.logs import (
    PARTITION,
    SETTINGS,
    START,
    Crash,
    Died,
    Logged,
    ModelStore,
    batch,
    milliseconds,
    record,
    run_stage,
)

S = TypeVar("S")
DEADLINE_SECONDS = 60
RETENTION, RECORD_RETENTION = timedelta(seconds=300), timedelta(seconds=100)
THRESHOLD = 3
RUBBISH = b"{"
OUTCOMES, RUN_LOG, INCIDENTS, LETTERS = "t.run-outcomes", "t.run-log", "t.incidents", "t.dead-letters"


@dataclass
class Life:
    """One life of a run, from its first event to its eviction."""

    said: list[Said] = field(default_factory=list)
    unclaimed: set[int] = field(default_factory=set)
    """Numbers of events behind which an ended run without an agent went out as unknown."""

    def told(self) -> Told | None:
        return recount(self.said, self.unclaimed, estimate_usd)


class World:
    """Two stores, an operator, a clock; and the list of what was committed, from which all is recounted."""

    def __init__(self) -> None:
        self.policies = Policies(default_policy(SETTINGS))
        self.runs: ModelStore[RunSnapshot] = ModelStore(run_stage(self.policies), 100_000)
        agent_stage: Stage[AgentHealth] = AgentStage(SETTINGS, self.policies)
        self.agents: ModelStore[AgentHealth] = ModelStore(agent_stage, 0)
        self.now = START
        self.said: dict[str | None, AgentSettings] = {}
        self.lives: dict[bytes, list[Life]] = {}
        self.seen: set[tuple[bytes, str]] = set()
        self.arrived: list[Arrived] = []
        self.poisoned = 0
        self._fed = 0

    # --- what happens ---

    def log(self, event: AnyRunEvent) -> None:
        """An agent's event reaches the log."""
        self.runs.log.append(record(event, self._end_of(self.runs), self.now))

    def repeat(self, number: int) -> None:
        """A producer sends again what it has sent."""
        again = self.runs.log[number % len(self.runs.log)]
        at = milliseconds(self.now)
        self.runs.log.append(Logged(self._end_of(self.runs), at, again.key, again.value, again.headers))
        self.poisoned += again.value == RUBBISH  # its id is not taken: it might have been mended

    def poison(self) -> None:
        """Something reaches the log that is no event."""
        offset = self._end_of(self.runs)
        self.runs.log.append(Logged(offset, milliseconds(self.now), b"p/x", RUBBISH, (("ce_id", b"%d" % offset),)))
        self.poisoned += 1

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def set(self, said: AgentSettings) -> None:
        """An operator says what holds for the project or an agent."""
        self.said[said.agent_id] = said
        self.policies.take({("p", said.agent_id): said})

    def fold_runs(self, most: int, back: int, parts: int, crash: Crash) -> None:
        """Stage 1 folds so many records, after some that it had folded before, in so many fetches."""
        before = self.runs.held.next_offset
        if self._fold(self.runs, most, back, parts, crash):
            after = self._position(self.runs)
            for logged in self.runs.log:
                if before <= logged.offset < after:
                    self._note(logged)
            self._feed()

    def fold_agents(self, most: int, back: int, parts: int, crash: Crash) -> None:
        """Stage 2 folds so many outcomes."""
        before = self.agents.held.next_offset
        if self._fold(self.agents, most, back, parts, crash):
            after = self._position(self.agents)
            for logged in self.agents.log:
                if before <= logged.offset < after:
                    outcome = decode(RunOutcome, logged.value)
                    thresholds = self._thresholds(outcome.agent_id)
                    self.arrived.append(Arrived(logged.offset, log_time(logged.timestamp), outcome, thresholds))

    def tick(self, crash: Crash) -> None:
        """Stage 1 looks at its clock, which has moved; what it does about it must be what is due, and all of it."""
        self.wait(1)
        due = self._due()
        held, written = self.runs.held, len(self.runs.log)
        changes, came_up = tick(self.runs.stage, held, self.now, PARTITION, 500)
        try:
            if changes:
                self.runs.commit(changes, self.now, crash)
            held.refile(came_up, self.now)
        except Died:
            self.runs.open()
            if crash == "before":
                return
        asked = [(logged.key, decode_event(logged.value)) for logged in self.runs.log[written:]]
        assert {key for key, _ in asked} <= {key for key, what in due.items() if what == "times out"}
        for key, what in due.items():
            life = self.lives[key][-1]
            if what == "leaves":
                self.lives[key].append(Life())
                assert key not in self.runs.changelog
            elif what == "goes out":
                life.unclaimed.add(len(life.said))
            else:
                self._check_asked(key, life)
        self._feed()

    def restart(self) -> None:
        """Both processes are replaced."""
        self.runs.open()
        self.agents.open()

    # --- how ---

    @staticmethod
    def _end_of(store: ModelStore[Any]) -> int:
        return store.log[-1].offset + 1 if store.log else 0

    @staticmethod
    def _position(store: ModelStore[Any]) -> int:
        return 0 if store.position is None else store.position[0]

    def _fold(self, store: ModelStore[S], most: int, back: int, parts: int, crash: Crash) -> bool:
        """Fold once; tell whether it was committed."""
        position = store.held.next_offset
        records = [logged for logged in store.log if logged.offset >= position - back]
        known = sum(logged.offset < position for logged in records)
        records = records[: known + most]
        if not records:
            return False
        size = -(-len(records) // parts)
        fetches = [batch(records[start : start + size]) for start in range(0, len(records), size)]
        try:
            store.commit(fold(store.stage, store.held, fetches), self.now, crash)
        except Died:
            store.open()
            return crash == "after"
        return True

    def _feed(self) -> None:
        """Stage 1's committed outcomes stand in stage 2's log, a transaction's marker behind each."""
        for output in self.runs.outputs[self._fed :]:
            if output.topic == OUTCOMES:
                offset = self._end_of(self.agents) + 1
                self.agents.log.append(Logged(offset, milliseconds(self.now), output.key, output.value))
        self._fed = len(self.runs.outputs)

    def _note(self, logged: Logged) -> None:
        if logged.value == RUBBISH:
            return
        event, key = decode_event(logged.value), logged.key or b""
        if (key, event.event_id) in self.seen:
            return
        self.seen.add((key, event.event_id))
        lives = self.lives.setdefault(key, [Life()])
        if isinstance(event, RunErased):
            lives.append(Life())
        else:
            lives[-1].said.append(Said(logged.offset, log_time(logged.timestamp), event))

    def _settings(self, agent_id: str | None, name: str, default: int) -> int:
        for scope in (agent_id, None):
            said = self.said.get(scope)
            value = None if said is None else getattr(said, name)
            if value is not None:
                return int(value)
        return default

    def _thresholds(self, agent_id: str) -> tuple[int, int]:
        silent = self._settings(agent_id, "silence_threshold", THRESHOLD)
        return silent, self._settings(agent_id, "failure_threshold", THRESHOLD)

    def _due(self) -> dict[bytes, str]:
        """Say of every run in memory what its deadline has come for (docs/ledger.md, "Silence by default")."""
        due: dict[bytes, str] = {}
        for key, lives in self.lives.items():
            told = lives[-1].told()
            if told is None:
                continue
            run = told.run
            quiet = self.now - run["last_logged_at"]
            deadline = timedelta(seconds=self._settings(run["agent_id"], "deadline_seconds", DEADLINE_SECONDS))
            if run["ended_at"] is None:
                due |= {key: "times out"} if quiet >= deadline else {}
            elif not told.outcomes:
                due |= {key: "goes out"} if quiet >= deadline else {}
            elif quiet >= (RETENTION if run["kind"] == "lifecycle" else RECORD_RETENTION):
                due[key] = "leaves"
        return due

    def _check_asked(self, key: bytes, life: Life) -> None:
        """The timeout stands in the log, now or since an earlier look."""
        told = life.told()
        assert told is not None
        events = [decode_event(logged.value) for logged in self.runs.log if logged.key == key]
        timeouts = [event for event in events if isinstance(event, RunTimedOut)]
        assert told.run["version"] in {event.data.last_version for event in timeouts}

    # --- what must be ---

    def check_runs(self) -> None:
        """Every snapshot and every outcome is what a recount of the distinct events gives."""
        expected = {key: told for key, lives in self.lives.items() if (told := lives[-1].told()) is not None}
        assert {key: fields_of(state, expected[key].run) for key, state in self.runs.held.states.items()} == {
            key: told.run for key, told in expected.items()
        }
        assert {key: decode(RunSnapshot, value) for key, value in self.runs.changelog.items()} == self.runs.held.states
        said: dict[bytes, list[RunOutcome]] = {}
        for output in self.runs.outputs:
            if output.topic == OUTCOMES:
                outcome = decode(RunOutcome, output.value)
                said.setdefault(f"p/{outcome.run_id}".encode(), []).append(outcome)
        recounted = {key: [told for life in lives for told in outcomes_of(life)] for key, lives in self.lives.items()}
        assert said == {key: outcomes for key, outcomes in recounted.items() if outcomes}
        letters = sum(output.topic == LETTERS for output in self.runs.outputs)
        assert letters <= self.poisoned

    def check_agents(self) -> None:
        """Every streak, row, revision and incident is what a recount of the outcomes gives."""
        by_agent: dict[bytes, list[Arrived]] = {}
        for one in self.arrived:
            by_agent.setdefault(f"p/{one.outcome.agent_id}".encode(), []).append(one)
        told = {key: Agent(arrived) for key, arrived in by_agent.items()}
        assert {key: health_of(state) for key, state in self.agents.held.states.items()} == {
            key: agent.health() for key, agent in told.items()
        }
        for key, agent in told.items():
            rows = [decode_run_log(it.value) for it in self.agents.outputs if (it.topic, it.key) == (RUN_LOG, key)]
            assert rows == agent.log
            found = [decode(Incident, it.value) for it in self.agents.outputs if (it.topic, it.key) == (INCIDENTS, key)]
            assert found == agent.incidents
        assert {it.key for it in self.agents.outputs} == told.keys()

    def settle(self) -> None:
        """Nothing more is said, and nobody dies any more: in the end every run has ended, gone out and left."""
        self.drain()
        for _ in range(4):
            self.wait(1000)
            self.tick("none")
            self.drain()
        assert self.runs.held.states == {}
        assert sum(output.topic == LETTERS for output in self.runs.outputs) == self.poisoned
        assert all(lives[-1].told() is None for lives in self.lives.values())

    def drain(self) -> None:
        """Fold all there is."""
        self.fold_runs(10_000, 0, 1, "none")
        self.fold_agents(10_000, 0, 1, "none")


def outcomes_of(life: Life) -> Sequence[RunOutcome]:
    told = life.told()
    return [] if told is None else [outcome for _, outcome in told.outcomes]


def fields_of(state: RunSnapshot, like: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(state, name) for name in like}


def health_of(state: AgentHealth) -> dict[str, Any]:
    names = ["version", "finished_runs", "last_ended_at", "last_status"]
    names += ["consecutive_silence_count", "consecutive_failure_count"]
    return {
        **{name: getattr(state, name) for name in names},
        "window": [entry.run_id for entry in state.window],
        "incidents": {incident.incident_id for incident in state.incidents},
    }
