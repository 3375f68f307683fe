from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.watch.schedule import ATTEMPTS, pause_after

FIRST = timedelta(seconds=5)


def test_pauses_triple_up_to_six_hours() -> None:
    pauses = [pause_after(attempt, FIRST, 0.5) for attempt in range(1, ATTEMPTS)]
    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (5, 15, 45, 135)]
    assert pauses[-1] == timedelta(hours=6)


def test_the_last_attempt_is_made_after_about_three_days_and_then_given_up() -> None:
    whole = sum((pause_after(attempt, FIRST, 0.5) or timedelta(0) for attempt in range(1, ATTEMPTS)), timedelta(0))
    assert timedelta(days=2, hours=20) < whole < timedelta(days=3, hours=4)
    assert pause_after(ATTEMPTS, FIRST, 0.5) is None
    assert pause_after(ATTEMPTS + 7, FIRST, 0.5) is None


@given(attempt=st.integers(1, ATTEMPTS - 1), chance=st.floats(0, 1))
def test_chance_moves_a_pause_by_a_fifth_at_most(attempt: int, chance: float) -> None:
    middle, moved = pause_after(attempt, FIRST, 0.5), pause_after(attempt, FIRST, chance)
    assert middle is not None
    assert moved is not None
    assert moved / middle == pytest.approx(0.8 + 0.4 * chance, rel=1e-3)
