"""A key comes up no later than it is due, and once for each time it is filed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.timers import Timers

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def test_due_yields_nothing_before_its_time() -> None:
    timers = Timers()
    timers.file(b"a", at(5))
    assert list(timers.due(at(4), 10)) == []
    assert list(timers.due(at(5), 10)) == [b"a"]


def test_due_yields_a_key_once() -> None:
    timers = Timers()
    timers.file(b"a", at(5))
    assert list(timers.due(at(9), 10)) == [b"a"]
    assert list(timers.due(at(9), 10)) == []


def test_a_later_time_changes_nothing_an_earlier_one_does() -> None:
    timers = Timers()
    timers.file(b"a", at(5))
    timers.file(b"a", at(9))
    assert list(timers.due(at(5), 10)) == [b"a"]
    timers.file(b"a", at(9))
    timers.file(b"a", at(6))
    assert list(timers.due(at(6), 10)) == [b"a"]
    assert list(timers.due(at(9), 10)) == []


def test_due_yields_the_earliest_first_and_at_most_so_many() -> None:
    timers = Timers()
    for second in (3, 1, 2):
        timers.file(b"%d" % second, at(second))
    assert list(timers.due(at(9), 2)) == [b"1", b"2"]
    assert list(timers.due(at(9), 2)) == [b"3"]


def test_filing_again_while_taking_does_not_come_up_twice() -> None:
    timers = Timers()
    timers.file(b"a", at(1))
    timers.file(b"b", at(2))
    taken = []
    for key in timers.due(at(9), 2):
        taken.append(key)
        timers.file(key, at(8))
    assert taken == [b"a", b"b"]


def test_a_key_that_is_forgotten_does_not_come_up_unless_it_is_filed_again() -> None:
    timers = Timers()
    timers.file(b"a", at(5))
    timers.forget(b"a")
    timers.forget(b"never filed")
    assert list(timers.due(at(9), 10)) == []
    timers.file(b"a", at(12))
    timers.forget(b"a")
    timers.file(b"a", at(12))
    assert list(timers.due(at(12), 10)) == [b"a"]
    assert list(timers.due(at(99), 10)) == []


def test_what_is_forgotten_takes_no_room() -> None:
    timers = Timers()
    for number in range(10_000):
        timers.file(b"%d" % number, at(number))
        if number % 100:
            timers.forget(b"%d" % number)
    assert len(timers) < 1500
    assert len(list(timers.due(at(10_000), 10_000))) == 100


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.one_of(st.none(), st.integers(0, 20)))))
def test_no_key_comes_up_late(steps: list[tuple[bytes, int | None]]) -> None:
    """Filed at a second, or (None) time moves on by three: against a dictionary of the earliest times."""
    timers, wanted, now = Timers(), dict[bytes, int](), 0
    for key, second in steps:
        if second is not None:
            timers.file(key, at(second))
            wanted[key] = min(second, wanted.get(key, second))
            continue
        now += 3
        due = {known for known, when in wanted.items() if when <= now}
        assert set(timers.due(at(now), 10)) == due
        for known in due:
            del wanted[known]
