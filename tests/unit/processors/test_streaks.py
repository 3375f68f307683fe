"""Streaks follow the order runs ended, whatever order they arrive in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.streaks import StreakPolicy, apply
from runledger.schemas.codec import decode, encode
from runledger.schemas.identifiers import row_id
from runledger.schemas.outcomes import Baseline, Incident, LoggedRun, RunOutcome, StreakRevised
from runledger.schemas.snapshots import AgentHealth
from runledger.schemas.usage import UsageTotals
from tests.unit.processors.histories import LOGGED, NOON, at

POLICY = StreakPolicy()


def outcome(number: int = 0, minute: int | None = None, letter: str = "S", **changes: object) -> RunOutcome:
    """Make an outcome: S success, F failed, P partial, R record; lower case: silent."""
    run_id = UUID(int=number)
    made = RunOutcome(
        project_key="p",
        agent_id="sage",
        run_id=run_id,
        row_id=row_id("p", run_id),
        revision=1,
        kind="record" if letter in "rR" else "log",
        status="failed" if letter in "fF" else "partial" if letter in "pP" else "success",
        run_status="failed" if letter in "fF" else "completed",
        inferred=False,
        silent=letter.islower(),
        ended_at=NOON + timedelta(minutes=number if minute is None else minute),
        logged_at=LOGGED,
        actions_taken={},
        action_summary=None,
        usage=UsageTotals(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of an outcome


@dataclass
class Agent:
    """An agent's state and, as a sink would keep it, the streaks of each of its rows."""

    state: AgentHealth | None
    rows: dict[UUID, tuple[int, int]]
    logged: list[LoggedRun]
    revised: list[StreakRevised]
    incidents: list[Incident]


def fold(outcomes: Sequence[RunOutcome], policy: StreakPolicy = POLICY, *, through_codec: bool = False) -> Agent:
    agent = Agent(None, {}, [], [], [])
    for offset, each in enumerate(outcomes):
        step = apply(agent.state, each, at(offset), policy)
        agent.state = decode(AgentHealth, encode(step.state)) if through_codec else step.state
        for emitted in step.emitted:
            match emitted:
                case LoggedRun():
                    agent.logged.append(emitted)
                    counts = (emitted.consecutive_silence_count, emitted.consecutive_failure_count)
                    agent.rows[emitted.outcome.row_id] = counts
                case StreakRevised():
                    agent.revised.append(emitted)
                    counts = (emitted.consecutive_silence_count, emitted.consecutive_failure_count)
                    agent.rows[emitted.row_id] = counts
                case Incident():
                    agent.incidents.append(emitted)
    return agent


def current(agent: Agent) -> tuple[int, int]:
    assert agent.state is not None
    return agent.state.consecutive_silence_count, agent.state.consecutive_failure_count


def letters(text: str) -> list[RunOutcome]:
    return [outcome(number, letter=letter) for number, letter in enumerate(text)]


def recount(outcomes: Sequence[RunOutcome]) -> dict[UUID, tuple[int, int]]:
    """Count the streaks the naive way: sort everything, walk once."""
    silence = failures = 0
    rows: dict[UUID, tuple[int, int]] = {}
    for each in sorted(outcomes, key=lambda it: (it.ended_at, it.run_id)):
        silence = silence + 1 if each.silent else 0
        if each.kind != "record":
            failures = {"failed": failures + 1, "success": 0, "partial": failures}[each.status]
        rows[each.row_id] = (silence, failures)
    return rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S", (0, 0)),
        ("s", (1, 0)),
        ("sss", (3, 0)),
        ("ssSs", (1, 0)),
        ("FFF", (0, 3)),
        ("FFPF", (0, 3)),
        ("FRF", (0, 2)),
        ("FFS", (0, 0)),
        ("fff", (3, 3)),
        ("fpr", (3, 1)),
    ],
)
def test_streaks_count_runs_in_a_row(text: str, expected: tuple[int, int]) -> None:
    assert current(fold(letters(text))) == expected


def test_a_row_keeps_its_streaks_up_to_and_including_itself() -> None:
    logged = fold(letters("sFfS")).logged
    assert [(run.consecutive_silence_count, run.consecutive_failure_count) for run in logged] == [
        (1, 0),
        (0, 1),
        (1, 2),
        (0, 0),
    ]


def test_an_outcome_out_of_order_revises_the_rows_after_it() -> None:
    first, second, third = letters("FFF")
    agent = fold([first, third, second])
    assert [row.run_id for row in agent.revised] == [third.run_id]
    assert agent.rows == recount([first, second, third])


def test_a_revision_replaces_the_run_and_does_not_count_it_again() -> None:
    first, second, third = letters("FFF")
    agent = fold([first, second, third, replace(second, revision=2, status="success")])
    assert current(agent) == (0, 1)
    assert agent.state is not None
    assert agent.state.finished_runs == 3
    assert agent.rows[third.row_id] == (0, 1)


def test_a_revision_may_move_the_run_in_time() -> None:
    first, second = letters("SF")
    agent = fold([first, second, replace(second, revision=2, ended_at=NOON - timedelta(hours=1))])
    assert agent.state is not None
    assert (current(agent), agent.state.last_status, agent.state.last_ended_at) == ((0, 0), "success", first.ended_at)


def test_a_first_revision_of_a_known_run_changes_nothing() -> None:
    agent = fold(letters("F"))
    step = apply(agent.state, outcome(0, letter="F"), at(9), POLICY)
    assert (step.state, step.emitted, step.changed) == (agent.state, (), False)


def test_what_ended_before_the_window_is_late_and_moves_no_streak() -> None:
    runs = letters("F" * 40)
    agent = fold([*runs[1:], runs[0]])
    assert agent.logged[-1] == LoggedRun(runs[0], 0, 0, late=True, baseline=Baseline(0))
    assert agent.state is not None
    assert (agent.state.finished_runs, len(agent.state.window), current(agent)) == (40, 32, (0, 39))


def test_a_streak_goes_on_beyond_the_window() -> None:
    assert current(fold(letters("f" * 100))) == (100, 100)


def test_what_takes_the_oldest_place_in_the_window_goes_on_with_the_streak_before_it() -> None:
    outcomes = [outcome(number, 2 * number, "f") for number in range(33)]
    late = outcome(99, 1, "f")
    agent = fold([*outcomes, late])
    assert agent.rows == recount([*outcomes, late])
    assert (agent.logged[-1].consecutive_silence_count, agent.logged[-1].late, current(agent)) == (2, False, (34, 34))


def test_the_newest_run_is_the_one_that_ended_last() -> None:
    agent = fold([outcome(1, 10, "F"), outcome(2, 5, "S")])
    assert agent.state is not None
    assert (agent.state.last_status, agent.state.last_ended_at) == ("failed", NOON + timedelta(minutes=10))
    assert (agent.state.version, agent.state.last_logged_at) == (2, at(1).logged_at)


def test_the_baseline_is_the_mean_of_the_runs_before() -> None:
    runs = [
        outcome(0, usage=UsageTotals(total_tokens=100), started_at=NOON - timedelta(seconds=60)),
        outcome(1, usage=UsageTotals(total_tokens=300)),
        outcome(2, started_at=NOON + timedelta(hours=9)),
        outcome(3),
    ]
    baselines = [run.baseline for run in fold(runs).logged]
    assert baselines == [Baseline(0), Baseline(1, 100.0, 60.0), Baseline(2, 200.0, 60.0), Baseline(3, 200.0, 60.0)]


_rows = st.lists(st.tuples(st.integers(0, 12), st.sampled_from("SFPRsfpr")), min_size=1, max_size=32)


def _outcomes(rows: Sequence[tuple[int, str]]) -> list[RunOutcome]:
    return [outcome(number, minute, letter) for number, (minute, letter) in enumerate(rows)]


@given(_rows, st.randoms(use_true_random=False))
def test_any_arrival_gives_the_naive_streaks(rows: list[tuple[int, str]], random: Random) -> None:
    outcomes = _outcomes(rows)
    random.shuffle(outcomes)
    agent = fold(outcomes)
    expected = recount(outcomes)
    last = max(outcomes, key=lambda it: (it.ended_at, it.run_id))
    assert agent.rows == expected
    assert current(agent) == expected[last.row_id]
    assert agent.state is not None
    assert (agent.state.last_status, agent.state.finished_runs) == (last.status, len(rows))


@given(_rows, st.data())
def test_revisions_in_any_place_give_the_naive_streaks(rows: list[tuple[int, str]], data: st.DataObject) -> None:
    outcomes = _outcomes(rows)
    holding = {each.run_id: each for each in outcomes}
    arrivals = list(outcomes)
    for number, (minute, letter) in enumerate(data.draw(_rows)[: len(rows)]):
        revision = replace(outcome(number, minute, letter), revision=2)
        first = next(place for place, each in enumerate(arrivals) if each.run_id == revision.run_id)
        arrivals.insert(data.draw(st.integers(first + 1, len(arrivals))), revision)
        holding[revision.run_id] = revision
    agent = fold(arrivals)
    assert agent.rows == recount(list(holding.values()))
    assert agent.state is not None
    assert agent.state.finished_runs == len(rows)


@given(st.text("SFPRsfpr", min_size=33, max_size=120))
def test_in_order_streaks_are_naive_beyond_the_window(text: str) -> None:
    outcomes = letters(text)
    agent = fold(outcomes)
    assert agent.rows == recount(outcomes)
    assert agent.revised == []


@given(st.text("SFPRsfpr", min_size=33, max_size=90), st.randoms(use_true_random=False))
def test_a_little_disorder_beyond_the_window_gives_the_naive_streaks(text: str, random: Random) -> None:
    outcomes = letters(text)
    arrivals = sorted(outcomes, key=lambda it: it.run_id.int + random.uniform(0, 15))
    assert fold(arrivals).rows == recount(outcomes)


@given(_rows)
def test_an_agent_restored_from_bytes_goes_on_as_if_it_had_stayed(rows: list[tuple[int, str]]) -> None:
    assert fold(_outcomes(rows), through_codec=True) == fold(_outcomes(rows))


@given(st.text("SFPRsfpr", min_size=1, max_size=60), st.integers(1, 4), st.integers(1, 4))
def test_in_order_incidents_open_and_recover_once_per_crossing(text: str, silent: int, failing: int) -> None:
    outcomes = letters(text)
    agent = fold(outcomes, StreakPolicy(silence_threshold=silent, failure_threshold=failing))
    expected = []
    open_kinds: set[str] = set()
    for each in outcomes:
        counts = recount(outcomes)[each.row_id]
        crossings = []
        for kind, count, threshold in (("silent", counts[0], silent), ("failing", counts[1], failing)):
            if kind in open_kinds and count < threshold:
                open_kinds.discard(kind)
                crossings.append((each.run_id, kind, "recovered"))
            elif kind not in open_kinds and count >= threshold:
                open_kinds.add(kind)
                crossings.append((each.run_id, kind, "open"))
        expected += crossings
    said = [(it.recovered_run_id or it.run_id, it.kind, it.state) for it in agent.incidents]
    assert sorted(said) == sorted(expected)
    opened = [it.incident_id for it in agent.incidents if it.state == "open"]
    recovered = [it.incident_id for it in agent.incidents if it.state == "recovered"]
    assert len(set(opened)) == len(opened)
    assert len(set(recovered)) == len(recovered)
    assert set(recovered) <= set(opened)
