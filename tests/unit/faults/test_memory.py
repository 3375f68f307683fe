"""Memory is seen, and growth is told from what rises and falls (O9)."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.faults.memory import FLAT_AFTER_SECONDS, Memory, Samples, average_halves, growing

KINDS = ("processor", "sink")


def samples_of(*mib: int, name: str = "processor-1") -> Samples:
    """A sample each second from the tenth minute on."""
    return [(FLAT_AFTER_SECONDS + second, {name: held}) for second, held in enumerate(mib, 1)]


def test_memory_looks_at_what_is_there_and_forgets_what_is_not() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    memory = Memory(lambda: {"me": os.getpid(), "gone": ended.pid}, every_seconds=0.01)
    deadline = time.monotonic() + 10
    while len(memory.samples) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    memory.stop()
    assert len(memory.samples) >= 3
    assert memory.largest().keys() == {"me"}
    assert memory.largest()["me"] > 5


def test_largest_is_the_most_that_each_ever_held() -> None:
    memory = Memory(dict, every_seconds=3600)
    memory.stop()
    memory.samples = [(1, {"a": 5, "b": 9}), (2, {"a": 7}), (3, {"a": 6, "b": 8})]
    assert memory.largest() == {"a": 7, "b": 9}


def test_growth_after_ten_minutes_is_found() -> None:
    assert growing(samples_of(*range(100, 500)), KINDS) == ["processor"]


def test_the_means_of_both_halves_are_those_of_a_kind_together() -> None:
    sink = samples_of(*[10] * 100, *[20] * 100, name="sink-1")
    both = [(at, {**held, "sink-2": 5, "processor-1": 7}) for at, held in sink]
    assert average_halves(both, KINDS) == {"processor": (7, 7), "sink": (15, 25)}
    assert average_halves(both[:100], KINDS) == {}


def test_growth_of_another_kind_is_not_laid_to_this_one() -> None:
    assert growing(samples_of(*range(100, 500), name="sink-2"), KINDS) == ["sink"]


@pytest.mark.parametrize("mib", [[200] * 400, [200, 240] * 200, [*range(300, 200, -1), *[200] * 300]])
def test_memory_that_stays_is_no_growth(mib: list[int]) -> None:
    assert growing(samples_of(*mib), KINDS) == []


def test_partitions_that_move_between_processes_are_no_growth() -> None:
    """One holds all while the other is dead, and each alone held little before."""
    both = [(at, {"processor-1": 500, "processor-2": 500}) for at, _ in samples_of(*[0] * 200)]
    alone = [(at + 200, {"processor-1": 1000}) for at, _ in samples_of(*[0] * 200)]
    assert growing([*both, *alone], KINDS) == []


def test_growth_of_the_first_ten_minutes_is_none() -> None:
    warming = [(float(second), {"sink-1": second}) for second in range(FLAT_AFTER_SECONDS)]
    assert growing([*warming, *samples_of(*[600] * 400, name="sink-1")], KINDS) == []


def test_too_short_a_time_says_nothing() -> None:
    assert growing(samples_of(*range(10, 110)), KINDS) == []
