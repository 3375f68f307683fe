from __future__ import annotations

from math import inf

from runledger.vitals.watchdog import Standstill, Watchdog, Work

LOOK = 5.0


def stuck(found: list[Standstill]) -> list[str]:
    return [it.name for it in found if it.is_stuck]


def looks(watchdog: Watchdog, work: Work, count: int, elapsed_seconds: float = LOOK) -> list[str]:
    """Look so often at work that does not move; return what was found stuck at last."""
    found: list[str] = []
    for _ in range(count):
        found = stuck(watchdog.look([work], elapsed_seconds))
    return found


def test_work_that_does_not_move_is_stuck_after_the_limit_and_not_before() -> None:
    watchdog, work = Watchdog(20, LOOK), Work("fold", 1)
    assert looks(watchdog, work, 5) == []  # the first look has nothing to compare with
    assert looks(watchdog, work, 1) == ["fold"]


def test_work_that_moves_however_slowly_is_never_stuck() -> None:
    watchdog = Watchdog(20, LOOK)
    for progress in range(20):
        assert looks(watchdog, Work("fold", progress), 4) == []


def test_nothing_to_do_is_no_standstill() -> None:
    watchdog = Watchdog(20, LOOK)
    assert looks(watchdog, Work("run-events[0]", 7, waits=False), 50) == []
    assert looks(watchdog, Work("run-events[0]", 7), 4) == [], "the time counts from when there was something to do"


def test_a_stop_of_the_whole_process_counts_as_two_looks_at_most() -> None:
    watchdog, work = Watchdog(20, LOOK), Work("fold", 1)
    looks(watchdog, work, 2)
    assert stuck(watchdog.look([work], 3600)) == []
    assert stuck(watchdog.look([Work("fold", 2)], LOOK)) == []


def test_the_time_begins_anew_after_an_excuse() -> None:
    watchdog, work = Watchdog(20, LOOK), Work("fold", 1)
    assert looks(watchdog, work, 6) == ["fold"]
    watchdog.excuse()
    assert looks(watchdog, work, 4) == []
    assert looks(watchdog, work, 1) == ["fold"]


def test_patience_lengthens_the_limit_and_may_have_no_end() -> None:
    watchdog = Watchdog(20, LOOK)
    works = [Work("short", 1), Work("long", 1, patience=2.0), Work("endless", 1, patience=inf)]
    found: list[Standstill] = []
    for _ in range(6):
        found = watchdog.look(works, LOOK)
    assert stuck(found) == ["short"]
    for _ in range(100):
        found = watchdog.look(works, LOOK)
    assert stuck(found) == ["short", "long"]


def test_a_quarter_of_the_limit_is_called_slow() -> None:
    assert not Standstill("fold", 5, 20).is_slow
    assert Standstill("fold", 6, 20).is_slow


def test_work_that_went_and_came_back_begins_anew() -> None:
    watchdog, work = Watchdog(20, LOOK), Work("run-events[0]", 7)
    looks(watchdog, work, 5)
    watchdog.look([], LOOK)
    assert looks(watchdog, work, 5) == []
