"""What a run's own page says of it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from runledger.analytics.dashboard.pages.run_line import first_said, length_of, line_of
from runledger.analytics.dashboard.pages.run_view import failures_of, notices_of, score_of
from runledger.analytics.readings import FailureReading
from runledger.analytics.run_account import FailureKindReading
from tests.unit.analytics.dashboard.runs import NOON, account, listed, log, run, usage

MINUTE = timedelta(minutes=1)


def failure(event_id: str, kind: str) -> FailureReading:
    """Return a failure of a kind."""
    return FailureReading(event_id, "sage", None, kind, "it broke", None, NOON)


def history(kind: str) -> FailureKindReading:
    """Return the history of a kind."""
    return FailureKindReading(kind, 1, "open", 9, NOON, NOON, None)


def test_a_run_takes_from_its_start_to_its_end_or_so_far() -> None:
    assert length_of(NOON, NOON + MINUTE, NOON + 9 * MINUTE) == MINUTE
    assert length_of(NOON, None, NOON + 9 * MINUTE) == 9 * MINUTE
    assert length_of(None, NOON, NOON) is None
    assert length_of(NOON, NOON - MINUTE, NOON) is None


def test_a_line_says_what_came_of_a_run_rather_than_what_it_meant_to_do() -> None:
    assert first_said(None, " \n", "third", "fourth") == "third"
    assert line_of(listed(summary="go", end_summary="done", action_summary="did"), NOON).says == "did"
    assert line_of(listed(summary="go", end_summary=" "), NOON).says == "go"
    assert line_of(listed(), NOON).says is None


def test_a_line_remarks_on_what_is_out_of_the_ordinary() -> None:
    odd = listed(silent=True, timed_out=True, failure_count=2, late_events=True)
    assert line_of(odd, NOON).remarks == ["silent", "gave no sign of life", "2 failures", "late events"]
    assert line_of(listed(silent=False, failure_count=1), NOON).remarks == ["1 failure"]
    assert line_of(listed(), NOON).remarks == []


def test_an_ordinary_run_has_no_notices() -> None:
    assert notices_of(account(row=log())) == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (account(figures=usage(inferred=True), reading=run(timed_out=True, silent=True)), "until its deadline"),
        (account(reading=run(timed_out=True)), "its end came later"),
        (account(reading=run(silent=True)), "shows nothing for itself"),
        (account(reading=run(end_conflict=True)), "ended twice"),
        (account(reading=run(late_events=True)), "no total holds them"),
        (account(figures=usage(clock_clamped=True)), "more than five minutes ahead"),
        (account(row=log(late=True)), "too late to be placed"),
        (account(row=log(revision=3)), "this is revision 3"),
    ],
)
def test_each_oddity_is_told_once(told: object, words: str) -> None:
    [notice] = notices_of(told)  # type: ignore[arg-type]  # parameters have no type
    assert words in notice


def test_failures_stand_below_their_kinds_in_the_order_of_the_kinds() -> None:
    found = failures_of([failure("1", "a"), failure("2", "b"), failure("3", "a")], [history("b"), history("a")])
    assert [(kind.fingerprint, [one.event_id for one in kind.failures]) for kind in found] == [
        ("b", ["2"]),
        ("a", ["1", "3"]),
    ]


def test_a_kind_beyond_those_that_were_read_has_no_history() -> None:
    [kind] = failures_of([failure("1", "a")], [])
    assert kind.history is None


def test_a_score_names_its_dimensions_and_its_judge() -> None:
    scores = {"rubric": "heuristic.v1", "scorer": "heuristic/1", "scored_at": "2026-03-01T12:00:00+00:00"}
    view = score_of(run(score=0.9, score_dimensions={"outcome": 1.0, "\u202e": 0.5}), log(rlhf_scores=scores))
    assert view is not None
    assert (view.rubric, view.scorer, view.scored_at) == ("heuristic.v1", "heuristic/1", NOON)
    assert [(one.name, one.value) for one in view.dimensions] == [("outcome", 1.0), ("\ufffd", 0.5)]


def test_a_score_without_its_judge_is_shown_nevertheless() -> None:
    view = score_of(run(score=0.9), log(rlhf_scores={"scored_at": "soon", "rubric": 3}))
    assert view is not None
    assert (view.rubric, view.scored_at, view.dimensions) == (None, None, [])
    assert score_of(run(run_id=uuid4()), None) is None
