from __future__ import annotations

from uuid import uuid4

from runledger.access.keys import ApiKey, Principal
from runledger.analytics.dashboard.sessions import Session, Sessions

SESSION = Session(Principal("acme", frozenset({"read"}), uuid4()), ApiKey.new())


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_session_is_found_by_its_number_until_its_time_is_over() -> None:
    clock = Clock()
    sessions = Sessions(60, clock=clock)
    number = sessions.open(SESSION)
    clock.now = 59.9
    assert sessions.find(number) is SESSION
    clock.now = 60
    assert sessions.find(number) is None


def test_numbers_cannot_be_guessed_and_differ() -> None:
    sessions = Sessions(60)
    first, second = sessions.open(SESSION), sessions.open(SESSION)
    assert first != second
    assert len(first) >= 43  # 256 bits


def test_made_up_numbers_find_nothing() -> None:
    sessions = Sessions(60)
    sessions.open(SESSION)
    for number in (None, "", "x" * 43, "\udcff"):
        assert sessions.find(number) is None


def test_a_closed_session_is_over() -> None:
    sessions = Sessions(60)
    number = sessions.open(SESSION)
    sessions.close(number)
    sessions.close(None)
    assert sessions.find(number) is None


def test_too_many_sessions_end_the_oldest() -> None:
    sessions = Sessions(60, most=2)
    numbers = [sessions.open(SESSION) for _ in range(3)]
    assert [sessions.find(number) is not None for number in numbers] == [False, True, True]


def test_a_session_does_not_show_its_key() -> None:
    assert SESSION.key is not None
    assert SESSION.key.secret not in repr(SESSION)
