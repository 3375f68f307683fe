"""A partition's log in memory, and a store over it that may crash: what the processors' laws are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

from runledger.processors.dedupe import event_hash
from runledger.processors.fold import Stage, fold, tick
from runledger.processors.policies import Policies
from runledger.processors.records import Batch, Changes, Headers, Output, Tombstone, log_time
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import DEFAULT_STATE_BYTES, ProcessorSettings
from runledger.processors.state import PartitionState
from runledger.schemas.codec import EVENT_ID_HEADER, encode, encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import AnyRunEvent, RunEnded, RunHeartbeat, RunRecorded, RunStarted, UsageReported

S = TypeVar("S")
Crash: TypeAlias = Literal["none", "before", "after"]
"""Where a process dies: before its commit, or after it and before it learned of it."""

PARTITION = 3
START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = ProcessorSettings(
    topic_prefix="t.", run_deadline_seconds=60, ended_retention_seconds=300, record_retention_seconds=100
)


@dataclass(slots=True)
class Logged:
    """A record of the log."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_type: int = 1
    """LogAppendTime, as Kafka numbers it."""


def milliseconds(at: datetime) -> int:
    """Kafka's timestamp."""
    return round(at.timestamp() * 1000)


def record(event: AnyRunEvent, offset: int, at: datetime | None = None) -> Logged:
    """Log an event as a producer does."""
    at = at or START + timedelta(seconds=offset)
    headers = ((EVENT_ID_HEADER, event.event_id.encode()),)
    return Logged(offset, milliseconds(at), run_key(event.project_key, event.run_id), encode_event(event), headers)


def batch(records: Sequence[Logged], start: int | None = None, end: int | None = None) -> Batch:
    """Put records together as one fetch."""
    start = records[0].offset if start is None else start
    return Batch("t.run-events", PARTITION, records, start, records[-1].offset + 1 if end is None else end, epoch=1)


def run_of(number: int) -> UUID:
    """Id of the test's run of that number."""
    return UUID(int=number + 1)


def event(kind: str, run: int = 0, event_id: str = "e", second: int = 0) -> AnyRunEvent:
    """Make an event of a run."""
    common: dict[str, Any] = {
        "event_id": event_id,
        "project_key": "p",
        "run_id": run_of(run),
        "occurred_at": datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=second),
        "agent_id": "sage",
    }
    match kind:
        case "started":
            return RunStarted(**common)
        case "used":
            usage = {"input_tokens": 10, "cost_usd": "0.1"}
            return UsageReported.model_validate({**common, "data": {"token_usage": usage}})
        case "ended":
            return RunEnded.model_validate({**common, "data": {"status": "completed", "summary": "done"}})
        case "recorded":
            return RunRecorded.model_validate({**common, "data": {"summary": "did it"}})
        case _:
            return RunHeartbeat(**common)


def state_of(stage: Stage[S], window: int = 100_000, state_bytes: int = DEFAULT_STATE_BYTES) -> PartitionState[S]:
    """Make an empty state."""
    return PartitionState(stage.due_at, window, state_bytes)


def run_stage(policies: Policies | None = None, **settings: object) -> RunStage:
    """Make stage 1 with the tests' deadlines."""
    return RunStage(SETTINGS.model_copy(update=settings), policies)


class Died(Exception):
    """The process is gone."""


class ModelStore(Generic[S]):
    """What a broker keeps of a stage's partition, and a process over it that opens, folds, ticks and dies.

    Args:
        stage: whose store.
        window: of dedupe, in offsets.
        state_bytes: bound for what is held.
    """

    def __init__(self, stage: Stage[S], window: int, state_bytes: int = DEFAULT_STATE_BYTES) -> None:
        self.stage = stage
        self.window = window
        self.log: list[Logged] = []
        self.changelog: dict[bytes, bytes] = {}
        self.outputs: list[Output] = []
        self.position: tuple[int, tuple[int, ...]] | None = None
        self.state_bytes = state_bytes
        self.held = state_of(stage, window, state_bytes)

    def open(self) -> None:
        """Restore what is committed, as a new process does."""
        self.held = held = state_of(self.stage, self.window, self.state_bytes)
        held.policy_revision = self.stage.policy_revision
        for key, value in self.changelog.items():
            held.put(key, self.stage.restore(value), len(value))
        if self.position is None:
            return
        held.next_offset, held.rejected = self.position
        seen: dict[int, int] = {}
        for logged in self.log:
            if held.next_offset - self.window <= logged.offset < held.next_offset:
                found = event_hash(logged.key, logged.value, logged.headers)
                if found is not None and logged.offset not in held.rejected:
                    seen[found] = logged.offset
                held.saw(log_time(logged.timestamp))
        held.seen.add(seen, held.next_offset)

    def commit(self, changes: Changes[S], now: datetime, crash: Crash = "none") -> None:
        """Write it all at once, and die before or after if so wished."""
        if crash == "before":
            raise Died
        for key, state in changes.snapshots.items():
            if isinstance(state, Tombstone):
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = encode(state)
                changes.sizes[key] = len(self.changelog[key])
        for output in changes.outputs:
            if output.topic == self.stage.source:
                offset = self.log[-1].offset + 1
                self.log.append(Logged(offset, milliseconds(now), output.key, output.value, output.headers))
            else:
                self.outputs.append(output)
        if changes.next_offset is not None:
            self.position = changes.next_offset, self.held.rejected_with(changes, changes.next_offset)
        if crash == "after":
            raise Died
        self.held.take(changes)

    def unread(self) -> list[Logged]:
        """Return the records from the position on."""
        return [logged for logged in self.log if logged.offset >= self.held.next_offset]

    def fold_all(self, now: datetime, sizes: Sequence[int] = (), crashes: Sequence[Crash] = ()) -> None:
        """Fold all there is, in batches of the sizes given, dying where `crashes` says."""
        sizes, crashes = list(sizes), list(crashes)
        while records := self.unread():
            taken = records[: sizes.pop() if sizes else len(records)]
            fetched = batch(taken, start=self.held.next_offset)
            try:
                changes = fold(self.stage, self.held, [fetched])
                self.commit(changes, now, crashes.pop() if crashes else "none")
            except Died:
                self.open()

    def tick(self, now: datetime, crash: Crash = "none") -> None:
        """Let expire what is due, and once more after a death."""
        changes, came_up = tick(self.stage, self.held, now, PARTITION, 500)
        try:
            if changes:
                self.commit(changes, now, crash)
        except Died:
            self.open()
            self.tick(now)
        else:
            self.held.refile(came_up, now)
