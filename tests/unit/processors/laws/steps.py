"""What may happen to a ledger, as values: a failing history shrinks and reads well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel

from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.run_events import ErasedData, RunErased
from tests.unit.processors.histories import common, ends, make_event, payloads
from tests.unit.processors.laws.world import World
from tests.unit.processors.logs import Crash, run_of

RUNS = st.integers(0, 5)
CRASHES: st.SearchStrategy[Crash] = st.sampled_from(["none", "none", "before", "after"])
AHEAD = 86_400 * 365 * 3
"""Seconds by which a clock is ahead of the log's."""


class Step(Protocol):
    """Something that happens."""

    def play(self, world: World, number: int) -> None:
        """Let it happen, as the step of that number."""


def agent_of(run: int) -> str:
    """Each run has one agent: of two that claimed it, the first outcome would decide."""
    return "sage" if run % 2 else "nova"


@dataclass(frozen=True)
class Say:
    """An agent says something of a run."""

    payload: BaseModel
    run: int
    second: int
    named: bool
    wait: int

    def play(self, world: World, number: int) -> None:
        world.wait(self.wait)
        agent = agent_of(self.run)
        named = agent if self.named else None
        world.log(make_event(number, self.payload, self.second, named, run_of(self.run), agent))


@dataclass(frozen=True)
class Repeat:
    """A producer sends again what was sent."""

    which: int

    def play(self, world: World, number: int) -> None:
        if world.runs.log:
            world.repeat(self.which)


@dataclass(frozen=True)
class Poison:
    """Rubbish reaches the log."""

    def play(self, world: World, number: int) -> None:
        world.poison()


@dataclass(frozen=True)
class Erase:
    """An operator erases a run."""

    run: int

    def play(self, world: World, number: int) -> None:
        run_id: UUID = run_of(self.run)
        world.log(RunErased(**{**common(f"erase-{number}"), "run_id": run_id}, data=ErasedData()))


@dataclass(frozen=True)
class Set:
    """An operator changes settings."""

    agent: str | None
    deadline_seconds: int | None
    silent: int | None
    failing: int | None

    def play(self, world: World, number: int) -> None:
        world.set(AgentSettings("p", self.agent, self.deadline_seconds, self.silent, self.failing))


@dataclass(frozen=True)
class Fold:
    """A stage folds so many records, fetched in so many parts, some of them for the second time; and may die of it."""

    stage: int
    most: int
    back: int
    parts: int
    crash: Crash

    def play(self, world: World, number: int) -> None:
        fold = world.fold_runs if self.stage == 1 else world.fold_agents
        fold(self.most, self.back, self.parts, self.crash)


@dataclass(frozen=True)
class Wait:
    """Time passes, and stage 1 looks at its clock; and may die of it."""

    seconds: int
    crash: Crash

    def play(self, world: World, number: int) -> None:
        world.wait(self.seconds)
        world.tick(self.crash)


@dataclass(frozen=True)
class Restart:
    """Both processes are replaced."""

    def play(self, world: World, number: int) -> None:
        world.restart()


_says = st.builds(
    Say,
    payload=st.sampled_from([payloads, payloads, ends]).flatmap(lambda strategy: strategy),
    run=RUNS,
    second=st.one_of(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.just(AHEAD)),
    named=st.sampled_from([True, True, True, False]),
    wait=st.sampled_from([0, 0, 1, 20]),
)
_thresholds = st.sampled_from([None, 1, 2, 5])
_sets = st.builds(
    Set,
    agent=st.sampled_from([None, "sage", "nova"]),
    deadline_seconds=st.sampled_from([None, 5, 30, 200]),
    silent=_thresholds,
    failing=_thresholds,
)
_folds = st.builds(
    Fold,
    stage=st.sampled_from([1, 2]),
    most=st.integers(1, 5),
    back=st.sampled_from([0, 0, 1, 7]),
    parts=st.integers(1, 3),
    crash=CRASHES,
)
_waits = st.builds(Wait, seconds=st.sampled_from([0, 0, 30, 70, 120, 400]), crash=CRASHES)
_repeats = st.builds(Repeat, which=st.integers(0, 50))
_often: list[st.SearchStrategy[Step]] = [*[_says] * 16, *[_folds] * 7, *[_repeats] * 2, _waits]
_seldom: list[st.SearchStrategy[Step]] = [_waits, _sets, _sets, st.builds(Erase, run=RUNS), st.just(Poison())]
# Not one_of: it draws a strategy that is named twice no more often than others.
_steps = st.sampled_from([*_often, *_seldom, st.just(Restart())]).flatmap(lambda strategy: strategy)
steps: st.SearchStrategy[list[Step]] = st.sampled_from(
    [st.lists(_steps, max_size=15), *[st.lists(_steps, min_size=30, max_size=90)] * 3]
).flatmap(lambda strategy: strategy)
"""Short histories, to which a failing one shrinks, and long ones."""
