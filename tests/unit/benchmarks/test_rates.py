"""One rule for every contestant's rate."""

from __future__ import annotations

import pytest

from benchmarks.errors import EndedError, TooSlowError
from benchmarks.rates import watch


def test_the_first_tenth_is_not_measured() -> None:
    positions = iter([0, 5, 20, 60, 100])

    rate = watch(lambda: next(positions), 100, deadline_seconds=5, pause_seconds=0)

    assert rate.share == 0.8
    assert rate.per_second == pytest.approx(80 / rate.seconds)


def test_a_contestant_that_does_all_between_two_looks_is_measured_whole() -> None:
    positions = iter([0, 100])

    assert watch(lambda: next(positions), 100, deadline_seconds=5, pause_seconds=0).share == 1.0


def test_a_deadline_ends_the_watch() -> None:
    with pytest.raises(TooSlowError, match="7 of 100"):
        watch(lambda: 7, 100, deadline_seconds=0, pause_seconds=0)


def test_a_contestant_that_has_ended_is_not_waited_for() -> None:
    def check() -> None:
        raise EndedError("it ended")

    with pytest.raises(EndedError):
        watch(lambda: 7, 100, deadline_seconds=60, check=check, pause_seconds=0)
