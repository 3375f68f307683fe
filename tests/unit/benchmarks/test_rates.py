"""One rule for every contestant's rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from benchmarks.errors import EndedError, TooSlowError
from benchmarks.rates import watch


def shown(positions: Iterable[int]) -> Callable[[], int]:
    """A position that moves on with each look."""
    looks = iter(positions)
    return lambda: next(looks)


def test_the_first_tenth_is_not_measured() -> None:
    rate = watch(shown([0, 5, 20, 60, 100]), 100, deadline_seconds=5, pause_seconds=0)

    assert rate.share == 0.8
    assert rate.per_second == pytest.approx(80 / rate.seconds)


def test_a_first_stage_that_runs_ahead_gains_nothing() -> None:
    began: list[float] = []

    def furthest() -> int:
        began.append(0)
        return [0, 20, 100, 100, 100][len(began) - 1]

    rate = watch(shown([0, 0, 0, 50, 100]), 100, deadline_seconds=5, begun=furthest, pause_seconds=0.01)

    assert rate.share == 0.8
    assert rate.seconds >= 0.03  # the three looks after the first stage's tenth, though the last stage showed less


def test_what_the_first_stage_has_done_before_is_not_counted() -> None:
    rate = watch(shown([0, 2, 10, 100]), 100, deadline_seconds=5, begun=shown([0, 8, 25, 100]), pause_seconds=0)

    assert rate.share == 0.75


def test_a_contestant_that_does_all_between_two_looks_is_measured_whole() -> None:
    assert watch(shown([0, 100]), 100, deadline_seconds=5, pause_seconds=0).share == 1.0


def test_a_contestant_that_shows_much_of_it_at_once_is_measured_from_the_look_before() -> None:
    assert watch(shown([0, 3, 30, 100]), 100, deadline_seconds=5, pause_seconds=0).share == 0.97


def test_a_deadline_ends_the_watch() -> None:
    with pytest.raises(TooSlowError, match="7 of 100"):
        watch(lambda: 7, 100, deadline_seconds=0, pause_seconds=0)


def test_a_contestant_that_has_ended_is_not_waited_for() -> None:
    def check() -> None:
        raise EndedError("it ended")

    with pytest.raises(EndedError):
        watch(lambda: 7, 100, deadline_seconds=60, check=check, pause_seconds=0)
