"""Transactions of a partition keep their distance; what waits is neither lost nor held back for longer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.pending import Pace, Pending
from runledger.processors.records import Batch
from tests.unit.processors.logs import Logged

INTERVAL = 0.05
AT_ONCE = 20
MOST = 100
SMALL = 1e-6
"""Rounding of the clock's sums."""


class _Skipping(selectors.SelectSelector):
    """Waits for nothing: the clock jumps to the next time at which something happens. It never quite stands still."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        self.now += 1e-9 if found or timeout is None else max(timeout, 1e-9)
        return found


class _Loop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run at a pace without waiting for it."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(work)


def now() -> float:
    return asyncio.get_running_loop().time()


def pending(pace: Pace | None = None) -> Pending:
    return Pending(pace or Pace(INTERVAL, AT_ONCE, 1000 * AT_ONCE), MOST, 1000 * MOST)


def batch(number: int, records: int = 1, size: int = 1) -> Batch:
    """Make a batch of so many records; its number is its start."""
    return Batch("t", 0, [Logged(number, 0, b"k", b"v" * size, [])] * records, number, number + 1, 1)


@dataclass(frozen=True, slots=True)
class Begun:
    """A transaction.

    Args:
        at: when it began.
        free_at: when the one before it had ended.
        numbers: of the batches in it.
        records: how many.
    """

    at: float
    free_at: float
    numbers: list[int]
    records: int


async def commit_all(waiting: Pending, seconds: float, begun: list[Begun], ticks: float = 1e9) -> None:
    """Do what an owner does: begin a transaction that takes so long, rest, begin the next."""
    free_at, next_tick = now(), 0.0
    while True:
        await waiting.rest(until=next_tick)
        batches = waiting.begin()
        if batches:
            begun.append(Begun(now(), free_at, [it.start for it in batches], sum(len(it.records) for it in batches)))
            await asyncio.sleep(seconds)
            free_at = now()
        if now() >= next_tick:
            next_tick = now() + ticks


arrivals = st.lists(st.tuples(st.sampled_from([0, 0.001, 0.03, 0.05, 0.07, 1]), st.integers(0, 30)), max_size=40)


@given(arrivals, st.sampled_from([0, 0.003, 0.08]), st.sampled_from([1e9, 0.02, 0.5]))
def test_every_batch_is_committed_once_in_order_and_never_later_than_the_pace_says(
    comings: list[tuple[float, int]], takes: float, ticks: float
) -> None:
    async def work() -> None:
        waiting, came = pending(), dict[int, float]()
        begun: list[Begun] = []
        owner = asyncio.create_task(commit_all(waiting, takes, begun, ticks))
        for number, (gap, records) in enumerate(comings):
            await asyncio.sleep(gap)
            await waiting.room()
            came[number] = now()
            waiting.add(batch(number, records))
        await asyncio.sleep(10)
        owner.cancel()
        assert [number for each in begun for number in each.numbers] == list(range(len(comings)))
        before = float("-inf")
        for each in begun:
            assert each.at - before >= INTERVAL - SMALL or each.records >= AT_ONCE
            first = came[each.numbers[0]]
            assert each.at <= max(first, each.free_at, before + INTERVAL) + SMALL
            before = each.at

    run(work())


@given(arrivals)
def test_without_an_interval_each_batch_is_committed_as_it_comes(comings: list[tuple[float, int]]) -> None:
    async def work() -> None:
        waiting, came = pending(Pace(0, AT_ONCE, 1000)), dict[int, float]()
        begun: list[Begun] = []
        owner = asyncio.create_task(commit_all(waiting, 0, begun))
        for number, (gap, records) in enumerate(comings):
            await asyncio.sleep(gap)
            came[number] = now()
            waiting.add(batch(number, records))
        await asyncio.sleep(10)
        owner.cancel()
        assert {number: each.at for each in begun for number in each.numbers} == pytest.approx(came, abs=SMALL)

    run(work())


def test_the_first_batch_after_a_pause_begins_at_once() -> None:
    async def work() -> None:
        waiting = pending()
        waiting.add(batch(0))
        assert waiting.begin()
        await asyncio.sleep(INTERVAL)
        waiting.add(batch(1))
        assert waiting.begin()

    run(work())


@pytest.mark.parametrize(
    "much", [batch(1, records=AT_ONCE), batch(1, size=1000 * AT_ONCE)], ids=["many records", "many bytes"]
)
def test_a_backlog_keeps_no_distance(much: Batch) -> None:
    async def work() -> None:
        waiting = pending()
        waiting.add(batch(0))
        assert waiting.begin()
        waiting.add(much)
        await waiting.rest(until=1)
        assert waiting.begin() == [much]
        assert now() == pytest.approx(0, abs=SMALL)

    run(work())


def test_whoever_is_full_keeps_no_distance() -> None:
    """Else a bound below the number that begins at once would let through one bound in every interval."""

    async def work() -> None:
        waiting = pending(Pace(INTERVAL, 1000 * MOST, 1000_000 * MOST))
        waiting.add(batch(0))
        assert waiting.begin()
        waiting.add(batch(1, records=MOST + 1))
        assert waiting.begin()
        assert now() == pytest.approx(0, abs=SMALL)

    run(work())


def test_a_batch_that_comes_during_the_pause_makes_it_end_where_it_is_one_too_many() -> None:
    async def work() -> None:
        waiting = pending()
        waiting.add(batch(0))
        assert waiting.begin()
        waiting.add(batch(1))
        resting = asyncio.create_task(waiting.rest(until=1))
        await asyncio.sleep(INTERVAL / 2)
        assert not resting.done()
        waiting.add(batch(2, records=AT_ONCE))
        await resting
        assert now() == pytest.approx(INTERVAL / 2, abs=SMALL)
        assert len(waiting.begin()) == 2

    run(work())


def test_a_tick_is_not_put_off_and_begins_no_transaction() -> None:
    async def work() -> None:
        waiting = pending()
        waiting.add(batch(0))
        assert waiting.begin()
        waiting.add(batch(1))
        await waiting.rest(until=INTERVAL / 2)
        assert now() == pytest.approx(INTERVAL / 2, abs=SMALL)
        assert waiting.begin() == []
        assert waiting

    run(work())


def test_a_tick_that_is_always_due_leaves_others_their_turn() -> None:
    async def work() -> None:
        waiting, turns = pending(), []
        other = asyncio.create_task(asyncio.sleep(0))
        while not other.done():
            await waiting.rest(until=0)
            turns.append(now())
        assert turns == pytest.approx([0] * len(turns), abs=SMALL)

    run(work())


@pytest.mark.parametrize("waits", [False, True], ids=["idle", "pausing"])
def test_close_ends_the_rest_at_once(waits: bool) -> None:
    async def work() -> None:
        waiting = pending(Pace(5, AT_ONCE, 1000))
        waiting.add(batch(0))
        assert waiting.begin()
        if waits:
            waiting.add(batch(1))
        resting = asyncio.create_task(waiting.rest(until=100))
        await asyncio.sleep(1)
        waiting.close()
        await resting
        assert now() == pytest.approx(1, abs=SMALL)
        assert not waiting

    run(work())


def test_what_is_forgotten_during_the_pause_is_not_committed() -> None:
    async def work() -> None:
        waiting = pending()
        waiting.add(batch(0))
        assert waiting.begin()
        waiting.add(batch(1))
        waiting.forget()
        await waiting.rest(until=1)
        assert now() == pytest.approx(1, abs=SMALL)
        assert waiting.begin() == []

    run(work())


@pytest.mark.parametrize("ending", ["begin", "forget", "close"])
def test_whoever_waits_for_room_goes_on(ending: str) -> None:
    async def work() -> None:
        waiting = pending()
        waiting.add(batch(0, records=MOST + 1))
        coming = asyncio.create_task(waiting.room())
        await asyncio.sleep(1)
        assert not coming.done()
        getattr(waiting, ending)()
        await coming

    run(work())
