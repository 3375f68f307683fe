"""The stories of docs/semantics.md: read from the page, and folded by the processors' own code over a log in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from runledger.processors.agent_stage import AgentStage
from runledger.processors.records import Output
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import ProcessorSettings
from runledger.producers.importers.script import read_run
from runledger.schemas.codec import decode
from runledger.schemas.outcomes import Incident, LoggedRun, StreakRevised
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from tests import documents
from tests.unit.processors.logs import Logged, ModelStore, milliseconds, record

_BLOCKS = documents.examples("docs/semantics.md", "json")
DAY = datetime(2026, 3, 2, tzinfo=UTC)
"""On which all stories happen but that of the failures."""
_SECTION = re.compile(r"^## (?P<title>.+)\n(?P<body>(?:(?!## ).*\n?)*)", re.MULTILINE)
_TABLE = re.compile(r"^\|.*\|\n\|[-|]+\|\n(?:\|.*\|\n?)+", re.MULTILINE)
_MINUTE = timedelta(minutes=1)
_STREAKS = ("consecutive_silence_count", "consecutive_failure_count")
_SETTINGS = ProcessorSettings(topic_prefix="t.")


@dataclass(frozen=True)
class Table:
    """A table of the page, without the marks of its markup."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> Iterator[dict[str, str]]:
        """Give each row by its columns' names."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))


@dataclass(frozen=True)
class Section:
    """A story: what agents tell, in the order in which the log has it, and tables of what comes of it."""

    title: str
    events: tuple[AnyRunEvent, ...]
    tables: tuple[Table, ...]


def sections() -> list[Section]:
    """Read the page."""
    return [
        Section(
            found["title"],
            tuple(event for text in _BLOCKS if text in found["body"] for event in _events(text)),
            tuple(_table(text) for text in _TABLE.findall(found["body"])),
        )
        for found in _SECTION.finditer(documents.text("docs/semantics.md"))
    ]


def _events(text: str) -> Iterator[AnyRunEvent]:
    """Read the runs of a block, one JSON object after the other, as `runledger replay` would."""
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        yield from read_run(document).events
        rest = rest[end:].lstrip()


def _table(text: str) -> Table:
    head, _, *rows = ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in text.splitlines())
    return Table(tuple(head), tuple(map(tuple, rows)))


def clock(text: str, day: datetime = DAY) -> datetime:
    """Read a time of the page, such as 09:20."""
    hours, minutes = text.split(":")
    return day + timedelta(hours=int(hours), minutes=int(minutes))


def shown(value: object) -> str:
    """Write a value as the page does."""
    match value:
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case Decimal():
            text = f"${value.normalize():f}"
        case datetime():
            text = f"{value:%H:%M}"
        case UUID():
            text = str(value)[-4:]
        case _:
            text = "" if value is None else str(value)
    return text


@dataclass
class Play:
    """One partition of run-events, both stages over it, and what the sink would hold of it.

    Args:
        runs: {run: its last snapshot}, also of those that have left memory.
        rows: {run: its row in the agent run log}.
        incidents: what was said, in order.
    """

    runs: dict[UUID, RunSnapshot] = field(default_factory=dict)
    rows: dict[UUID, LoggedRun] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    _stage1: ModelStore[RunSnapshot] = field(default_factory=lambda: ModelStore(RunStage(_SETTINGS), 100_000))
    _stage2: ModelStore[AgentHealth] = field(default_factory=lambda: ModelStore(AgentStage(_SETTINGS), 100_000))
    _now: datetime | None = None

    def hear(self, event: AnyRunEvent, at: datetime) -> None:
        """Log an event, having let the time pass until then."""
        self.wait(at)
        self._stage1.log.append(record(event, len(self._stage1.log), at))
        self._settle(at)

    def wait(self, until: datetime) -> list[tuple[datetime, str]]:
        """Let time pass, with a look at the clock each minute.

        Returns:
            The ends that were inferred: when, and of which run.
        """
        inferred: list[tuple[datetime, str]] = []
        while self._now is not None and self._now < until:
            self._now += _MINUTE
            before = len(self._stage1.log)
            self._stage1.tick(self._now)
            inferred += [(self._now, _run_of(logged)) for logged in self._stage1.log[before:]]
            self._settle(self._now)
        self._now = until
        return inferred

    def agent(self, agent_id: str) -> AgentHealth:
        """Return what stage 2 holds of an agent."""
        return next(health for health in self._stage2.held.states.values() if health.agent_id == agent_id)

    def row(self, run_id: UUID) -> dict[str, str]:
        """Return a run's columns of agent_run and agent_run_log, as the page writes them."""
        run, logged = self.runs[run_id], self.rows.get(run_id)
        known = {name: getattr(run, name) for name in RunSnapshot.__slots__}
        known |= {name: getattr(run.usage, name) for name in run.usage.__slots__}
        known |= dict.fromkeys((*_STREAKS, "silent", "revision", "run_at"))
        if logged is not None:
            outcome = logged.outcome
            known |= {"silent": outcome.silent, "revision": outcome.revision, "run_at": outcome.logged_at}
            known |= {name: getattr(logged, name) for name in _STREAKS}
        return {name: shown(value) for name, value in known.items()}

    def _settle(self, now: datetime) -> None:
        """Fold what is new through both stages."""
        told = len(self._stage1.outputs)
        self._stage1.fold_all(now)
        for state in self._stage1.held.states.values():
            self.runs[state.run_id] = state
        for output in self._stage1.outputs[told:]:
            offset = len(self._stage2.log)
            self._stage2.log.append(Logged(offset, milliseconds(now), output.key, output.value, output.headers))
        told = len(self._stage2.outputs)
        self._stage2.fold_all(now)
        for output in self._stage2.outputs[told:]:
            self._take(output)

    def _take(self, output: Output) -> None:
        """Hold what the sink would hold of a record of run-log or incidents."""
        value = output.value or b""
        if output.topic.endswith("incidents"):
            self.incidents.append(decode(Incident, value))
        elif json.loads(value)["type"] == "logged":
            logged = decode(LoggedRun, value)
            self.rows[logged.outcome.run_id] = logged
        else:
            revised = decode(StreakRevised, value)
            counts = {name: getattr(revised, name) for name in _STREAKS}
            self.rows[revised.run_id] = replace(self.rows[revised.run_id], **counts)


def _run_of(logged: Logged) -> str:
    return (logged.key or b"").decode().rsplit("/", 1)[-1]
