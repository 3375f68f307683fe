"""What becomes of runs about which nothing more is heard."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runledger.processors.deadlines import DeadlinePolicy, Evict, due_at, expire
from runledger.processors.steps import RunStep
from runledger.schemas.run_events import AnyRunEvent, RunTimedOut
from runledger.schemas.snapshots import RunSnapshot
from tests.unit.processors.histories import at, beat, ended, fold, logged, one, recorded, started, step_of, used

POLICY = DeadlinePolicy()
INSTANT = timedelta(microseconds=1)


def timed_out(run: RunSnapshot) -> RunTimedOut:
    event = expire(run, due_at(run, POLICY), POLICY)
    assert isinstance(event, RunTimedOut)
    return event


@pytest.mark.parametrize(
    ("events", "wait"),
    [
        ([started()], timedelta(hours=1)),
        ([used(input_tokens=1), ended()], timedelta(hours=1)),
        ([started(), ended()], timedelta(hours=24)),
        ([recorded()], timedelta(minutes=10)),
        ([logged()], timedelta(minutes=10)),
    ],
)
def test_nothing_is_due_before_its_time(events: list[AnyRunEvent], wait: timedelta) -> None:
    run = one(events)
    assert due_at(run, POLICY) == run.last_logged_at + wait
    assert expire(run, run.last_logged_at + wait - INSTANT, POLICY) is None
    assert expire(run, run.last_logged_at + wait, POLICY) is not None


def test_the_deadline_counts_from_the_last_event() -> None:
    first = one([started()])
    later = step_of(beat(), first, 1000).state
    assert later is not None
    assert due_at(later, POLICY) == at(1000).logged_at + POLICY.run_deadline


def test_a_timeout_is_the_same_event_however_often_it_is_decided() -> None:
    run = one([started()])
    assert timed_out(run) == timed_out(run)
    assert timed_out(run).event_id != timed_out(one([started(), beat()])).event_id


def test_a_timeout_ends_the_run_as_failed_at_its_last_sign_of_life() -> None:
    run = one([started(), beat(second=30)])
    step = step_of(timed_out(run), run, 9)
    assert step.state is not None
    assert (step.state.status, step.state.outcome, step.state.inferred, step.state.timed_out) == (
        "interrupted",
        "failed",
        True,
        True,
    )
    assert (step.state.ended_at, step.state.version, step.state.events) == (run.last_occurred_at, 10, 2)
    [outcome] = step.emitted
    assert (outcome.status, outcome.inferred, outcome.actions_taken, outcome.silent) == ("failed", True, {}, True)


def test_a_timeout_is_void_once_the_run_has_moved() -> None:
    run = one([started()])
    event = timed_out(run)
    for moved in (step_of(beat(), run, 1).state, step_of(ended(), run, 1).state, None):
        step = step_of(event, moved, 2)
        assert (step.state, step.changed, step.emitted) == (moved, False, ())


def test_a_repeated_timeout_is_void() -> None:
    run = one([started()])
    gone = step_of(timed_out(run), run, 5).state
    assert not step_of(timed_out(run), gone, 6).changed


def test_an_explicit_end_replaces_an_inferred_one_and_keeps_that_it_timed_out() -> None:
    run = one([started()])
    gone = step_of(timed_out(run), run, 5).state
    step = step_of(ended(summary="done after all"), gone, 6)
    assert step.state is not None
    assert (step.state.status, step.state.inferred, step.state.timed_out) == ("completed", False, True)
    assert (step.state.end_conflict, step.state.end_logged_at) == (False, at(5).logged_at)
    [outcome] = step.emitted
    assert (outcome.revision, outcome.status, outcome.logged_at) == (2, "success", at(5).logged_at)


def test_an_ended_run_stays_ended_whatever_comes_later() -> None:
    run = one([started()])
    gone = step_of(timed_out(run), run, 5).state
    later, outcomes = fold([beat("b", 90), used("u", 91, input_tokens=1)], gone, start=6)
    assert (later.status, later.inferred, outcomes) == ("interrupted", True, [])


def test_a_run_that_times_out_without_an_agent_goes_out_as_unknown_at_once() -> None:
    run = one([used(input_tokens=1)])
    step = step_of(timed_out(run), run, 5)
    assert [outcome.agent_id for outcome in step.emitted] == ["unknown"]


def test_an_ended_run_without_an_agent_goes_out_as_unknown_and_revisions_follow() -> None:
    run = one([used(input_tokens=1), ended()])
    step = expire(run, due_at(run, POLICY), POLICY)
    assert isinstance(step, RunStep)
    assert step.state is not None
    assert [(outcome.agent_id, outcome.revision) for outcome in step.emitted] == [("unknown", 1)]
    assert (step.state.version, step.state.agent_id) == (run.version, None)
    assert due_at(step.state, POLICY) == run.last_logged_at + POLICY.ended_retention
    named = step_of(started(), step.state, 7)
    assert (named.emitted, named.state.agent_id if named.state else "") == ((), None)
    late = step_of(used("late", traces=1, input_tokens=1), named.state, 8)
    assert [(outcome.agent_id, outcome.revision) for outcome in late.emitted] == [("unknown", 2)]


def test_an_ended_run_leaves_memory() -> None:
    run = one([started(), ended()])
    assert expire(run, due_at(run, POLICY), POLICY) == Evict()
