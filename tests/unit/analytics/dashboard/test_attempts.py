from __future__ import annotations

from runledger.analytics.dashboard.attempts import MOST_ATTEMPTS, MOST_OF_ALL, WITHIN_SECONDS, Attempts
from tests.unit.analytics.dashboard.test_sessions import Clock


def test_an_address_waits_after_its_tenth_failure_within_a_minute() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for second in range(MOST_ATTEMPTS):
        clock.now = second
        assert attempts.wait_seconds("here") == 0
        attempts.note_failure("here")
    assert attempts.wait_seconds("here") == WITHIN_SECONDS - clock.now
    assert attempts.wait_seconds("there") == 0
    clock.now = WITHIN_SECONDS
    assert attempts.wait_seconds("here") == 0


def test_many_addresses_together_are_bounded_too() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for number in range(MOST_OF_ALL):
        attempts.note_failure(f"address-{number}")
    assert attempts.wait_seconds("another") == WITHIN_SECONDS
