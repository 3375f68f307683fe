from __future__ import annotations

import pytest

from runledger.scoring.retry import GiveUp, RetryPolicy, TryAgain

POLICY = RetryPolicy(max_attempts=5, first_delay_seconds=1, max_delay_seconds=5)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 5)])
def test_waits_double_up_to_the_longest(attempts: int, seconds: float) -> None:
    assert POLICY.decide(attempts) == TryAgain(seconds)


@pytest.mark.parametrize("attempts", [5, 6])
def test_the_last_attempt_is_the_last(attempts: int) -> None:
    assert POLICY.decide(attempts) == GiveUp()


def test_many_attempts_do_not_overflow() -> None:
    assert RetryPolicy(10_000, 1, 60).decide(9_999) == TryAgain(60)
