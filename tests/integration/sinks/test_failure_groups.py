"""The states of failure groups: the tables' SQL against a naive recount, whatever the order, batches and repeats."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    EndStatus,
    FailureData,
    FailureRecorded,
    FailureResolved,
    ResolvedData,
    RunEnded,
    RunErased,
    RunStarted,
    StartedData,
)
from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.schemas.topics import RUN_EVENTS, RUNS
from runledger.sinks.batch import fold
from runledger.sinks.offsets import Position
from runledger.sinks.settings import SinkSettings
from runledger.sinks.verify import verify
from runledger.sinks.writer import Writer
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import Story
from tests.unit.sinks.build import NOON, PROJECT, event_record, record, run_number, run_record, snapshot, source

pytestmark = pytest.mark.integration

_BEGAN = NOON - timedelta(days=1)
"""Records are logged from noon on; what would lie ahead of that were clamped."""
_KINDS = ("disk full", "no such table", "connection reset")
_STATUSES: tuple[EndStatus, ...] = ("completed", "completed", "failed")
_TABLES = (
    "agent, agent_health, agent_run, agent_run_log, consumer_offset, erased_run, failure_group, failure_resolution,"
    " failure_task, incident, run_event, run_failure, run_rollup, scoring_outbox, task_completion"
)
_GROUPS = (
    "SELECT fingerprint, state, resolved_at, resolved_by_run_id, resolved_by_event_id FROM failure_group"
    " ORDER BY fingerprint"
)
Group: TypeAlias = tuple[str, str, datetime | None, UUID | None, str | None]


def _common(run: int, minute: int, name: str) -> dict[str, Any]:
    at = _BEGAN + timedelta(minutes=minute)
    return {"event_id": name, "project_key": PROJECT, "run_id": run_number(run), "occurred_at": at, "agent_id": "sage"}


def started(run: int, minute: int, task: str | None) -> RunStarted:
    return RunStarted(**_common(run, minute, f"start-{run}-{minute}-{task}"), data=StartedData(task_id=task))


def ended(run: int, minute: int, status: EndStatus = "completed") -> RunEnded:
    return RunEnded(**_common(run, minute, f"end-{run}-{minute}-{status}"), data=EndedData(status=status))


def failed(run: int, minute: int, kind: int = 0, task: str | None = None, *, detached: bool = False) -> FailureRecorded:
    data = FailureData(summary=_KINDS[kind], task_id=task, detached=detached)
    return FailureRecorded(**_common(run, minute, f"fail-{run}-{minute}-{kind}-{task}-{detached}"), data=data)


def resolved(run: int, minute: int, kind: int = 0, note: str | None = None) -> FailureResolved:
    data = ResolvedData(fingerprint=_fingerprint(kind), note=note, by="ops")
    return FailureResolved(**_common(run, minute, f"resolve-{run}-{minute}-{kind}"), data=data)


def _fingerprint(kind: int) -> str:
    return fingerprint(PROJECT, _KINDS[kind])


# --- a naive model ----------------------------------------------------------------------------------------------------


def naive_groups(story: Story, events: Iterable[AnyRunEvent]) -> list[Group]:
    """Recount from the distinct events and the runs' last snapshots."""
    distinct = list({(one.run_id, one.event_id): one for one in events}.values())
    failures = [one for one in distinct if isinstance(one, FailureRecorded)]
    words = [one for one in distinct if isinstance(one, FailureResolved)]
    groups: list[Group] = []
    for kind in sorted({kind_of(one) for one in failures}):
        own = [one for one in failures if kind_of(one) == kind]
        ways = [(one.occurred_at, 1, one.event_id, one.run_id) for one in words if one.data.fingerprint == kind]
        found: list[tuple[datetime, int, str, UUID]] = list(ways)
        for task in {one.data.task_id for one in own} - {None}:
            found += _by_run(story, failures, [one.occurred_at for one in own if one.data.task_id == task], task)
        last_seen_at = max(one.occurred_at for one in own)
        if not found:
            groups.append((kind, "open", None, None, None))
            continue
        at, by_word, event_id, run_id = max(found)
        state = "regressed" if last_seen_at > at else "resolved"
        groups.append((kind, state, at, None if by_word else run_id, event_id if by_word else None))
    return groups


def kind_of(event: FailureRecorded) -> str:
    return fingerprint(event.project_key, event.data.error or event.data.summary)


def _by_run(
    story: Story, failures: Iterable[FailureRecorded], failed_at: list[datetime], task: str | None
) -> list[tuple[datetime, int, str, UUID]]:
    of_task = {one.run_id for one in failures if one.data.task_id == task and not one.data.detached}
    completed = [
        (run.ended_at, run.run_id)
        for run in story.runs.values()
        if run is not None and run.status == "completed" and run.ended_at is not None
        if run.task_id == task or run.run_id in of_task
    ]
    after = [one for one in completed if one[0] > max(failed_at)]
    before = [one for one in completed if one[0] > min(failed_at)]
    chosen = min(after) if after else max(before, default=None)
    return [] if chosen is None else [(chosen[0], 0, "", chosen[1])]


# --- any story --------------------------------------------------------------------------------------------------------

_minutes = st.integers(0, 8)
_tasks = st.sampled_from(["build", "build", "deploy", None])
_kinds = st.sampled_from([0, 0, 1])
_runs = st.integers(0, 5)
_failures = st.builds(failed, _runs, _minutes, _kinds, _tasks, detached=st.sampled_from([False, False, True]))
_words = st.builds(resolved, _runs, _minutes, _kinds)


@st.composite
def _lives(draw: st.DrawFn) -> list[AnyRunEvent]:
    """Draw a run that starts, perhaps twice, fails or not, and ends, perhaps twice."""
    run = draw(_runs)
    starts = draw(st.lists(st.builds(started, st.just(run), _minutes, _tasks), min_size=1, max_size=2))
    failures = draw(st.lists(st.builds(failed, st.just(run), _minutes, _kinds, _tasks), max_size=2))
    ends = draw(st.lists(st.builds(ended, st.just(run), _minutes, st.sampled_from(_STATUSES)), max_size=2))
    return [*starts, *failures, *ends]


_stories = st.builds(
    lambda lives, failures, words: [*(one for life in lives for one in life), *failures, *words],
    st.lists(_lives(), min_size=3, max_size=6),
    st.lists(_failures, min_size=2, max_size=5),
    st.lists(_words, max_size=1),
)


@dataclass(frozen=True, slots=True)
class Telling:
    """A story, and the ways in which its records reach the tables."""

    events: list[AnyRunEvent]
    seed: int


_tellings = st.builds(Telling, _stories, st.integers(0, 10**6))


def _tell_in_batches(ledger: Ledger, story: Story, dice: random.Random) -> None:
    """Write the records as several sinks might: each topic in its order, topics and batches as they come."""
    queues = [[one for one in story.records if one.suffix == suffix] for suffix in (RUN_EVENTS.suffix, RUNS.suffix)]
    while any(queues):
        queue = dice.choice([one for one in queues if one])
        batch = [queue.pop(0) for _ in range(min(len(queue), dice.randint(1, 6)))]
        if dice.random() < 0.3:
            batch += [other.pop(0) for other in queues if other and other is not queue]
        ledger.write(batch)


def emptied(ledger: Ledger) -> Ledger:
    ledger.connection.execute(f"TRUNCATE {_TABLES}".encode())
    return ledger


def test_states_equal_a_naive_recount_whatever_the_order_batches_and_repeats(ledger: Ledger) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_tellings)
    def check(telling: Telling) -> None:
        dice = random.Random(telling.seed)
        orders = [telling.events, dice.sample(telling.events, len(telling.events))]
        orders[1] += dice.sample(telling.events, dice.randint(0, len(telling.events)))
        for order in orders:
            story = Story()
            story.tell(order)
            _tell_in_batches(emptied(ledger), story, dice)
            assert ledger.rows(_GROUPS) == naive_groups(story, telling.events)
            assert [one for one in verify(ledger.connection).differences if one.kind.startswith(_OURS)] == []

    check()


_OURS = ("failure", "task", "resolution")


# --- one by one -------------------------------------------------------------------------------------------------------


def _write(ledger: Ledger, *events: AnyRunEvent) -> None:
    """Write one story as a batch; the next one goes on in the log where this one ended."""
    begun = {suffix: _next(ledger, suffix) for suffix in (RUN_EVENTS.suffix, RUNS.suffix)}
    told = [one for one in Story().tell(events) if one.suffix in begun]
    ledger.write([changed(one, offset=one.offset + begun[one.suffix]) for one in told])


def _next(ledger: Ledger, suffix: str) -> int:
    found = ledger.rows("SELECT next_offset FROM consumer_offset WHERE topic LIKE %s", f"%.{suffix}")
    return int(found[0][0]) if found else 0


def _states(ledger: Ledger) -> list[str]:
    return [state for (state,) in ledger.rows("SELECT state FROM failure_group ORDER BY fingerprint")]


def _resolution(ledger: Ledger) -> tuple[Any, ...]:
    return ledger.rows(
        "SELECT state, resolved_at, resolved_by_run_id, resolved_by_event_id FROM failure_group WHERE fingerprint = %s",
        _fingerprint(0),
    )[0]


def _at(minute: int) -> datetime:
    return _BEGAN + timedelta(minutes=minute)


def test_a_kind_opens_is_resolved_by_the_first_completed_run_and_regresses(ledger: Ledger) -> None:
    _write(ledger, failed(1, 2, task="build"))
    assert _resolution(ledger) == ("open", None, None, None)
    _write(ledger, started(2, 0, "build"), ended(2, 1))
    assert _resolution(ledger) == ("open", None, None, None)
    _write(ledger, started(3, 3, "build"), ended(3, 4))
    _write(ledger, started(4, 5, "build"), ended(4, 6))
    assert _resolution(ledger) == ("resolved", _at(4), run_number(3), None)
    _write(ledger, failed(5, 7, task="deploy"))
    assert _resolution(ledger) == ("regressed", _at(4), run_number(3), None)
    _write(ledger, started(6, 8, "build"), ended(6, 9))
    assert _resolution(ledger) == ("regressed", _at(4), run_number(3), None)
    _write(ledger, started(7, 8, "deploy"), ended(7, 9))
    assert _resolution(ledger) == ("resolved", _at(9), run_number(7), None)
    _write(ledger, failed(8, 10, task="deploy"))
    assert _resolution(ledger) == ("regressed", _at(9), run_number(7), None)
    _write(ledger, started(9, 11, "deploy"), ended(9, 12))
    assert _resolution(ledger) == ("resolved", _at(12), run_number(9), None)


def test_a_failure_at_the_moment_of_its_resolution_does_not_reopen_it(ledger: Ledger) -> None:
    _write(ledger, failed(1, 2), resolved(2, 3), failed(3, 3))
    assert _resolution(ledger)[0] == "resolved"
    _write(ledger, failed(4, 4))
    assert _resolution(ledger)[0] == "regressed"


def test_a_word_holds_before_any_failure_is_known_and_once(ledger: Ledger) -> None:
    word = resolved(1, 5, note="raised the pool")
    _write(ledger, word)
    assert ledger.rows("SELECT count(*) FROM failure_group") == [(0,)]
    _write(ledger, failed(2, 4), word, word)
    assert _resolution(ledger) == ("resolved", _at(5), None, word.event_id)
    assert ledger.rows("SELECT resolved_by, agent_id, note, resolved_at FROM failure_resolution") == [
        ("ops", "sage", "raised the pool", _at(5))
    ]
    _write(ledger, failed(3, 6))
    assert _resolution(ledger)[0] == "regressed"


def test_nobody_resolves_in_the_future(ledger: Ledger) -> None:
    logged_at = record(RUN_EVENTS, 1, None, None).logged_at
    _write(ledger, failed(1, 0), resolved(2, 60 * 24 * 30))
    assert _resolution(ledger)[1] == logged_at


def test_a_run_that_turns_out_not_to_have_completed_resolves_nothing(ledger: Ledger) -> None:
    story = Story()
    ledger.write(story.tell([failed(1, 1, task="build"), started(2, 2, "build"), ended(2, 5)])[:])
    assert _resolution(ledger) == ("resolved", _at(5), run_number(2), None)
    before = len(story.records)
    ledger.write(story.tell([ended(2, 4, "failed")])[before:])
    assert _resolution(ledger) == ("open", None, None, None)


def test_the_former_resolution_of_a_regressed_kind_is_the_last_that_stands(ledger: Ledger) -> None:
    story = Story()
    told: list[AnyRunEvent] = [
        failed(1, 1, task="build"),
        started(2, 2, "build"),
        ended(2, 3),
        failed(1, 8, task="build"),
    ]
    ledger.write(story.tell(told)[:])
    assert _resolution(ledger) == ("regressed", _at(3), run_number(2), None)
    before = len(story.records)
    ledger.write(story.tell([started(3, 2, "build"), ended(3, 5), started(4, 2, "build"), ended(4, 4)])[before:])
    assert _resolution(ledger) == ("regressed", _at(5), run_number(3), None)
    before = len(story.records)
    ledger.write(story.tell([ended(3, 4, "failed")])[before:])
    assert _resolution(ledger) == ("regressed", _at(4), run_number(4), None)
    before = len(story.records)
    ledger.write(story.tell([ended(4, 3, "failed"), ended(2, 2, "failed")])[before:])
    assert _resolution(ledger) == ("open", None, None, None)


def test_a_task_that_an_earlier_start_takes_back_is_no_more_completed(ledger: Ledger) -> None:
    story = Story()
    ledger.write(story.tell([failed(1, 1, task="build"), started(2, 3, "build"), ended(2, 5)])[:])
    assert _states(ledger) == ["resolved"]
    before = len(story.records)
    ledger.write(story.tell([started(2, 2, None)])[before:])
    assert _states(ledger) == ["open"]
    assert ledger.rows("SELECT count(*) FROM task_completion") == [(0,)]


def test_erasures_take_along_failures_resolutions_and_words(ledger: Ledger) -> None:
    story = Story()
    told: list[AnyRunEvent] = [
        *(failed(1, 1, task="build"), failed(2, 2, task="build"), failed(3, 3, 1)),
        *(started(4, 4, "build"), ended(4, 5), resolved(5, 6, 1)),
    ]
    ledger.write(story.tell(told)[:])
    assert sorted(_states(ledger)) == ["resolved", "resolved"]
    for number, run in enumerate((4, 5, 1, 3)):
        order = RunErased(event_id="e", project_key=PROJECT, run_id=run_number(run), occurred_at=NOON)
        gone = record(RUNS, 100 + number, run_key(PROJECT, run_number(run)), None, reason="erased")
        ledger.write([event_record(100 + number, order), gone])
        assert [one for one in verify(ledger.connection).differences if one.kind.startswith(_OURS)] == []
    assert _resolution(ledger) == ("open", None, None, None)
    assert ledger.rows("SELECT failure_count, first_seen_at FROM failure_group") == [(1, _at(2))]
    assert ledger.rows("SELECT first_failed_at FROM failure_task") == [(_at(2),)]
    assert ledger.rows("SELECT count(*) FROM failure_resolution") == [(0,)]


def test_a_task_that_goes_on_completing_rewrites_nothing(ledger: Ledger) -> None:
    kinds = [replace_summary(failed(number, number % 5, task="triage"), f"kind {'x' * number}") for number in range(40)]
    _write(ledger, *kinds, started(50, 6, "triage"), ended(50, 7))
    assert _states(ledger) == ["resolved"] * 40
    rows = "SELECT t.xmin::text, t.fingerprint FROM failure_task AS t UNION ALL SELECT g.xmin::text, g.fingerprint"
    before = sorted(ledger.rows(f"{rows} FROM failure_group AS g"))
    _write(ledger, *(event for run in range(60, 90) for event in (started(run, 8, "triage"), ended(run, 9))))
    assert sorted(ledger.rows(f"{rows} FROM failure_group AS g")) == before


def replace_summary(event: FailureRecorded, summary: str) -> FailureRecorded:
    return event.model_copy(update={"data": event.data.model_copy(update={"summary": summary})})


def test_two_sinks_that_write_a_failure_and_its_resolution_together_miss_neither(ledger: Ledger) -> None:
    other = Writer(SinkSettings(postgres=ledger.uri))
    start = Position(0, "topic-id", 4)
    ledger.writer.open_positions({source(RUN_EVENTS): start, source(RUNS): start})
    together = threading.Barrier(2)
    rounds = 40

    def write_runs() -> None:
        for number in range(rounds):
            run = snapshot(
                number, status="completed", task_id=f"task-{number}", ended_at=_at(5), version=1, born_offset=0
            )
            batch = fold([run_record(number, run)], DEFAULT_RUBRIC)
            together.wait(30)
            other.write(batch, {source(RUNS): number})

    thread = threading.Thread(target=write_runs)
    thread.start()
    for number in range(rounds):
        failure = replace_summary(failed(100 + number, 1, task=f"task-{number}"), f"kind {'x' * number}")
        batch = fold([event_record(number, failure)], DEFAULT_RUBRIC)
        together.wait(30)
        ledger.writer.write(batch, {source(RUN_EVENTS): number})
    thread.join(30)
    other.close()
    assert _states(ledger) == ["resolved"] * rounds
