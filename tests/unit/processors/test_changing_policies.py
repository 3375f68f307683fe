"""Operators change deadlines and thresholds while processes die: each emission is committed once all the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.agent_stage import AgentStage
from runledger.processors.fold import Stage, fold, tick
from runledger.processors.policies import Policies, default_policy
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode, decode_event, decode_run_log, encode
from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome
from runledger.schemas.run_events import RunTimedOut
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from tests.unit.processors.logs import (
    PARTITION,
    SETTINGS,
    START,
    Crash,
    Died,
    Logged,
    ModelStore,
    batch,
    event,
    record,
    run_of,
    run_stage,
    state_of,
)
from tests.unit.processors.test_agent_stage import outcome

KEY = f"p/{run_of(0)}".encode()


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def new_policies() -> Policies:
    """Nobody has said anything yet; what has ended stays."""
    return Policies(default_policy(SETTINGS.model_copy(update={"ended_retention_seconds": 10**7})))


def say(
    policies: Policies,
    agent_id: str | None = "sage",
    deadline_seconds: int | None = None,
    silence_threshold: int | None = None,
    failure_threshold: int | None = None,
) -> None:
    """Set so much for an agent or the project, as an operator does; nothing takes back what was said."""
    said = AgentSettings("p", agent_id, deadline_seconds, silence_threshold, failure_threshold)
    policies.take({("p", agent_id): None if said == AgentSettings("p", agent_id) else said})


def started(policies: Policies) -> tuple[Stage[RunSnapshot], ModelStore[RunSnapshot]]:
    """Start one run at START, whose deadline is a minute by default."""
    stage: Stage[RunSnapshot] = run_stage(policies)
    store = ModelStore(stage, 100_000)
    store.log.append(record(event("started"), 0, START))
    store.fold_all(START)
    return stage, store


def timeouts(store: ModelStore[RunSnapshot]) -> int:
    return sum(isinstance(decode_event(logged.value), RunTimedOut) for logged in store.log)


def test_a_shorter_deadline_takes_effect_on_a_run_that_is_filed_already() -> None:
    policies = new_policies()
    _, store = started(policies)
    store.tick(after(10))
    assert timeouts(store) == 0
    say(policies, deadline_seconds=5)
    store.tick(after(11))
    assert timeouts(store) == 1


def test_a_projects_deadline_holds_for_runs_of_agents_without_one_of_their_own() -> None:
    policies = new_policies()
    _, store = started(policies)
    say(policies, None, deadline_seconds=5)
    say(policies, deadline_seconds=20)
    store.tick(after(11))
    assert timeouts(store) == 0
    store.tick(after(20))
    assert timeouts(store) == 1


def test_a_longer_deadline_takes_effect_when_the_shorter_one_comes_up() -> None:
    policies = new_policies()
    _, store = started(policies)
    say(policies, deadline_seconds=200)
    store.tick(after(61))
    assert timeouts(store) == 0
    store.tick(after(199))
    assert timeouts(store) == 0
    store.tick(after(200))
    assert timeouts(store) == 1


def test_a_timeout_that_is_in_the_log_counts_although_the_deadline_was_made_longer() -> None:
    policies = new_policies()
    _, store = started(policies)
    store.tick(after(60))
    say(policies, deadline_seconds=5000)
    store.fold_all(after(61))
    assert store.held.states[KEY].inferred


def test_a_restart_files_by_what_is_said_now() -> None:
    policies = new_policies()
    _, store = started(policies)
    say(policies, deadline_seconds=5)
    store.open()
    assert not store.held.is_reviewing
    store.tick(after(6))
    assert timeouts(store) == 1


def test_a_change_is_worked_off_in_pieces_and_finds_every_key() -> None:
    policies = new_policies()
    stage: Stage[RunSnapshot] = run_stage(policies)
    held = state_of(stage)
    held.take(fold(stage, held, [batch([record(event("started", run), run, START) for run in range(100)])]))
    say(policies, deadline_seconds=5)
    rounds = 0
    while not rounds or held.is_reviewing:
        held.review(stage.policy_revision, 30)
        rounds += 1
    assert rounds == 4
    assert len(list(held.timers.due(after(5), 1000))) == 100


def test_a_second_change_in_the_middle_of_the_first_begins_anew() -> None:
    policies = new_policies()
    stage: Stage[RunSnapshot] = run_stage(policies)
    held = state_of(stage)
    held.take(fold(stage, held, [batch([record(event("started", run), run, START) for run in range(10)])]))
    say(policies, deadline_seconds=30)
    held.review(stage.policy_revision, 8)
    say(policies, deadline_seconds=5)
    held.review(stage.policy_revision, 8)
    held.review(stage.policy_revision, 8)
    assert not held.is_reviewing
    assert len(list(held.timers.due(after(5), 1000))) == 10


def test_deadlines_changed_very_often_leave_nothing_behind_in_the_timers() -> None:
    policies = new_policies()
    stage: Stage[RunSnapshot] = run_stage(policies)
    held = state_of(stage)
    held.take(fold(stage, held, [batch([record(event("started", run), run, START) for run in range(100)])]))
    for seconds in range(50_000, 40_000, -10):
        say(policies, deadline_seconds=seconds)
        tick(stage, held, START, PARTITION, 10)
    assert len(held.timers) < 2000


@dataclass(frozen=True)
class Step:
    """Something happens: an event is logged, an operator says something, all is folded, or time passes."""

    kind: str
    run: int
    seconds: int
    said: int | None
    crash: Crash


STEPS = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["started", "used", "ended", "beat", "said", "said", "fold", "fold", "tick", "tick"]),
        run=st.integers(0, 2),
        seconds=st.sampled_from([1, 1, 20, 70]),
        said=st.sampled_from([None, 1, 30, 60, 500]),
        crash=st.sampled_from(["none", "none", "before", "after"]),
    ),
    max_size=40,
)


def attempt(store: ModelStore[RunSnapshot], step: Step, now: datetime) -> None:
    """Fold or tick once; a process that dies is followed by another, which knows what is said by then."""
    try:
        if step.kind == "tick":
            changes, came_up = tick(store.stage, store.held, now, PARTITION, 500)
            if changes:
                store.commit(changes, now, step.crash)
            store.held.refile(came_up, now)
        elif records := store.unread():
            changes = fold(store.stage, store.held, [batch(records, start=store.held.next_offset)])
            store.commit(changes, now, step.crash)
    except Died:
        store.open()


@given(STEPS)
def test_whatever_is_said_and_whoever_dies_the_log_alone_decides(steps: list[Step]) -> None:
    """Outcomes and states are those of one process that folds the same log, timeouts and all, and was told nothing."""
    policies = new_policies()
    store: ModelStore[RunSnapshot] = ModelStore(run_stage(policies), 100_000)
    now = START
    for number, step in enumerate(steps):
        now += timedelta(seconds=step.seconds)
        if step.kind == "said":
            scope = "sage" if step.run else None
            say(policies, scope, deadline_seconds=step.said)
        elif step.kind in {"fold", "tick"}:
            attempt(store, step, now)
        else:
            offset = store.log[-1].offset + 1 if store.log else 0
            store.log.append(record(event(step.kind, step.run, f"e{number}", second=number), offset, now))
    store.fold_all(now)
    untold: ModelStore[RunSnapshot] = ModelStore(run_stage(), 100_000)
    untold.log = store.log
    untold.fold_all(now)
    assert store.outputs == untold.outputs
    assert store.held.states == untold.held.states
    assert {key: decode(RunSnapshot, value) for key, value in store.changelog.items()} == store.held.states
    said = Counter((told.run_id, told.revision) for told in outcomes(store))
    assert all(count == 1 for count in said.values())


def outcomes(store: ModelStore[RunSnapshot]) -> list[RunOutcome]:
    return [decode(RunOutcome, output.value) for output in store.outputs]


@given(STEPS, st.integers(0, 500))
def test_no_run_is_given_up_before_the_deadline_in_force_has_passed(steps: list[Step], last: int) -> None:
    """Nor later than the tick behind it: against a look at every run at every tick."""
    policies = new_policies()
    store: ModelStore[RunSnapshot] = ModelStore(run_stage(policies), 100_000)
    now = START
    for number, step in enumerate([*steps, Step("tick", 0, last, None, "none")]):
        now += timedelta(seconds=step.seconds + 1)  # a key comes up again a second later at the earliest
        if step.kind == "said":
            say(policies, deadline_seconds=step.said)
        elif step.kind != "tick":
            offset = store.log[-1].offset + 1 if store.log else 0
            store.log.append(record(event(step.kind, step.run, f"e{number}", second=number), offset, now))
            store.fold_all(now)
        else:
            before = dict(store.held.states)
            written = len(store.log)
            store.tick(now)
            deadline = policies.of("p", "sage").deadlines.run_deadline
            due = {
                run.run_id for run in before.values() if run.ended_at is None and run.last_logged_at + deadline <= now
            }
            assert {decode_event(logged.value).run_id for logged in store.log[written:]} == due
            store.fold_all(now)


@dataclass(frozen=True)
class Finish:
    """A run finishes, or an operator changes the thresholds."""

    failed: bool
    silent: bool
    minute: int
    thresholds: tuple[int, int] | None
    crash: Crash
    size: int


FINISHES = st.lists(
    st.builds(
        Finish,
        failed=st.booleans(),
        silent=st.booleans(),
        minute=st.integers(0, 60),
        thresholds=st.none() | st.none() | st.tuples(st.integers(1, 5), st.integers(1, 5)),
        crash=st.sampled_from(["none", "before", "after"]),
        size=st.integers(1, 4),
    ),
    max_size=40,
)


def finished(steps: list[Finish], *, dying: bool) -> ModelStore[AgentHealth]:
    """Fold what finished between two words of an operator; `dying` processes in small batches, and again after."""
    policies = new_policies()
    stage: Stage[AgentHealth] = AgentStage(SETTINGS, policies)
    store = ModelStore(stage, 0)
    plans: list[Finish] = []
    for number, step in enumerate(steps):
        status = "failed" if step.failed else "success"
        ended_at = START + timedelta(minutes=step.minute)
        told = replace(outcome(number, status), silent=step.silent, ended_at=ended_at)
        store.log.append(Logged(number, 0, b"p/sage", encode(told)))
        plans.append(step)
        if step.thresholds is not None:
            fold_all(store, plans if dying else [])
            plans = []
            silence, failures = step.thresholds
            say(policies, silence_threshold=silence, failure_threshold=failures)
    fold_all(store, plans if dying else [])
    return store


def fold_all(store: ModelStore[AgentHealth], plans: list[Finish]) -> None:
    store.fold_all(START, [plan.size for plan in plans], [plan.crash for plan in plans])


@given(FINISHES)
def test_deaths_change_no_incident_whatever_the_thresholds_become(steps: list[Finish]) -> None:
    once, often = finished(steps, dying=False), finished(steps, dying=True)
    assert often.outputs == once.outputs
    assert often.held.states == once.held.states


@given(FINISHES)
def test_an_incident_opens_once_recovers_once_and_keeps_its_threshold(steps: list[Finish]) -> None:
    store = finished(steps, dying=True)
    open_now: dict[str, Incident] = {}
    seen = set()
    for output in store.outputs:
        if output.topic != "t.incidents":
            continue
        incident = decode(Incident, output.value)
        if incident.state == "open":
            assert incident.kind not in open_now
            assert incident.incident_id not in seen
            seen.add(incident.incident_id)
            open_now[incident.kind] = incident
        else:
            opened = open_now.pop(incident.kind)
            assert (incident.incident_id, incident.threshold) == (opened.incident_id, opened.threshold)
    standing = [incident for health in store.held.states.values() for incident in health.incidents]
    assert {incident.incident_id for incident in standing} == {it.incident_id for it in open_now.values()}


@given(FINISHES)
def test_thresholds_change_no_streak_and_no_row(steps: list[Finish]) -> None:
    told, untold = finished(steps, dying=False), finished([replace(it, thresholds=None) for it in steps], dying=False)
    assert rows(told) == rows(untold)


def rows(store: ModelStore[AgentHealth]) -> list[object]:
    logged = [decode_run_log(output.value) for output in store.outputs if output.topic == "t.run-log"]
    assert any(isinstance(row, LoggedRun) for row in logged) or not logged
    return list(logged)


def test_a_lower_threshold_opens_an_incident_with_the_next_outcome() -> None:
    """What stands already is not judged anew by itself: an agent is looked at when something of it arrives."""
    policies = new_policies()
    store = ModelStore[AgentHealth](AgentStage(SETTINGS, policies), 0)
    store.log = [Logged(number, 0, b"p/sage", encode(outcome(number))) for number in range(2)]
    store.fold_all(START)
    say(policies, failure_threshold=2)
    assert [output.topic for output in store.outputs] == ["t.run-log", "t.run-log"]
    store.log.append(Logged(2, 0, b"p/sage", encode(outcome(2))))
    store.fold_all(START)
    (incident,) = [decode(Incident, output.value) for output in store.outputs if output.topic == "t.incidents"]
    assert (incident.state, incident.threshold, incident.run_id) == ("open", 2, run_of(1))


def test_an_open_incident_recovers_below_the_threshold_it_was_opened_by() -> None:
    policies = new_policies()
    store = ModelStore[AgentHealth](AgentStage(SETTINGS, policies), 0)
    store.log = [Logged(number, 0, b"p/sage", encode(outcome(number))) for number in range(3)]
    store.fold_all(START)
    say(policies, failure_threshold=9)
    store.log.append(Logged(3, 0, b"p/sage", encode(outcome(3))))
    store.fold_all(START)
    assert [incident.threshold for incident in store.held.states[b"p/sage"].incidents] == [3]
    store.log.append(Logged(4, 0, b"p/sage", encode(outcome(4, "success"))))
    store.fold_all(START)
    assert store.held.states[b"p/sage"].incidents == ()
