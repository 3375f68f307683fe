from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runledger.stack.backoff import BackOff

POLICY = BackOff(first_seconds=1, factor=2, longest_seconds=10, jitter=0.5, steady_seconds=30)


def test_waits_double_up_to_the_longest() -> None:
    assert [POLICY.wait_seconds(failures, 0.0) for failures in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_a_process_that_ran_well_starts_over() -> None:
    assert POLICY.failures(earlier=5, ran_seconds=30) == 1
    assert POLICY.failures(earlier=5, ran_seconds=29) == 6


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_waits_stay_within_the_bounds_for_ever(failures: int, chance: float) -> None:
    assert 1 <= POLICY.wait_seconds(failures, chance) <= 10 * 1.5
