"""What an owner does with batches when its partition is taken away and given back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from faust.types import TP
from structlog.testing import capture_logs

from runledger.processors.owner import PartitionOwner
from runledger.processors.records import Batch
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import DEFAULT_STATE_BYTES
from runledger.schemas.codec import decode, decode_event
from runledger.schemas.run_events import RunTimedOut
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import Position, RunSnapshot
from runledger.schemas.topics import RUN_EVENTS, RUN_POSITIONS, RUNS
from tests.integration.processors.partition import PARTITION, Partition, until, usage
from tests.unit.processors.logs import event

pytestmark = pytest.mark.integration


class Clock:
    """The wall's clock, and how far the test has moved it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Standing:
    """A consumer that fetches nothing by itself: the test hands over the batches, and says whether there are more."""

    def __init__(self, clock: Clock) -> None:
        self.is_caught_up = False
        self.asked = 0
        self._clock = clock

    def read_until(self, tp: TP, next_offset: int) -> datetime | None:
        self.asked += 1
        return self._clock() if self.is_caught_up else None

    def rebalancing(self) -> bool:
        return False

    async def seek_store(self, tp: TP, position: int, epoch: int) -> None:
        pass


@pytest.fixture
def partition(topics: ConnectionSettings) -> Partition:
    partition = Partition(topics)
    partition.wait_for_leaders()
    return partition


@pytest.fixture
def crashes() -> list[BaseException]:
    return []


@pytest.fixture
def standing(clock: Clock) -> Standing:
    return Standing(clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state_bytes() -> int:
    return DEFAULT_STATE_BYTES


@pytest.fixture
def interval() -> float:
    return 0.05


@pytest.fixture
def pending_records() -> int:
    return 8000


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """Where commits run."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest_asyncio.fixture
async def owner(
    partition: Partition,
    crashes: list[BaseException],
    standing: Standing,
    executor: ThreadPoolExecutor,
    state_bytes: int,
    interval: float,
    pending_records: int,
) -> AsyncIterator[PartitionOwner[RunSnapshot]]:
    broker = partition.broker(
        state_bytes=state_bytes, run_commit_interval_seconds=interval, pending_records=pending_records
    )
    tp = TP(partition.name(RUN_EVENTS), PARTITION)
    owner = PartitionOwner(tp, RunStage(broker.settings), broker, executor, standing, crashes.append)
    await owner.open_soon()
    yield owner
    await owner.close()


def cut(whole: Batch, at: int, epoch: int) -> tuple[Batch, Batch]:
    """Cut a batch in two, as two fetches of an epoch would have it."""
    first = replace(whole, records=whole.records[:at], end=at, epoch=epoch)
    return first, replace(whole, records=whole.records[at:], start=at, epoch=epoch)


async def settled(owner: PartitionOwner[RunSnapshot]) -> None:
    """Wait until the owner has nothing left to do."""
    await asyncio.to_thread(until, lambda: not owner.is_busy)


async def test_a_partition_taken_away_and_given_back_counts_each_record_once(
    partition: Partition, owner: PartitionOwner[RunSnapshot], crashes: list[BaseException]
) -> None:
    """What was fetched before the revocation may still be on its way to the owner when the partition is ours again."""
    partition.log(usage(1), usage(2))
    _, epoch = await owner.restart_from()
    first, second = cut(partition.batch(0), 1, epoch)
    owner.revoke()
    await owner.put(first)
    await settled(owner)
    owner.assigned = True
    await owner.put(second)
    await settled(owner)
    assert crashes == []
    position, epoch = await owner.restart_from()
    assert position == 0
    for batch in cut(partition.batch(0), 1, epoch):
        await owner.put(batch)
    await settled(owner)
    assert crashes == []
    assert until(partition.tokens) == 20


async def read_all(partition: Partition, owner: PartitionOwner[RunSnapshot]) -> None:
    """Hand over all there is."""
    position, epoch = await owner.restart_from()
    await owner.put(replace(partition.batch(position or 0), epoch=epoch))
    await settled(owner)


def positions(partition: Partition) -> list[int]:
    return [decode(Position, message.value()).next_offset for message in partition.seen(RUN_POSITIONS)]


@pytest.mark.parametrize("interval", [1])
async def test_what_comes_within_an_interval_is_one_transaction(
    partition: Partition, owner: PartitionOwner[RunSnapshot]
) -> None:
    partition.log(*(usage(number) for number in range(5)))
    _, epoch = await owner.restart_from()
    first, rest = cut(partition.batch(0), 1, epoch)
    await owner.put(first)
    await settled(owner)
    for batch in (replace(rest, records=[it], start=it.offset, end=it.offset + 1) for it in rest.records):
        await owner.put(batch)
    await settled(owner)
    assert positions(partition) == [1, 5]
    assert partition.tokens() == 50


@pytest.mark.parametrize("pending_records", [3])
async def test_who_brings_more_than_may_wait_is_held_back_and_nothing_is_lost(
    partition: Partition, owner: PartitionOwner[RunSnapshot], executor: ThreadPoolExecutor, crashes: list[BaseException]
) -> None:
    """No commit gets through for a while: the executor has other work."""
    partition.log(*(usage(number) for number in range(40)))
    _, epoch = await owner.restart_from()
    whole = replace(partition.batch(0), epoch=epoch)
    taken = 0

    async def bring() -> None:
        nonlocal taken
        for it in whole.records:
            await owner.put(replace(whole, records=[it], start=it.offset, end=it.offset + 1))
            taken += 1

    with busy(executor):
        bringing = asyncio.create_task(bring())
        done, _ = await asyncio.wait([bringing], timeout=1.5)
        assert not done
        assert taken <= 2 * (3 + 1)  # what is being committed, and what waits, each with the one that was too many
        assert positions(partition) == []
    await bringing
    await settled(owner)
    assert partition.tokens() == 400
    assert positions(partition)[-1] == 40
    assert crashes == []


@contextmanager
def busy(executor: ThreadPoolExecutor) -> Iterator[None]:
    """Give the executor other work for the length of the block."""
    done = threading.Event()
    others = [executor.submit(done.wait) for _ in range(2)]
    try:
        yield
    finally:
        done.set()
    assert all(other.result() for other in others)


async def ticks(standing: Standing, count: int = 3) -> None:
    """Wait until the owner has looked at its clock so often again."""
    seen = standing.asked
    await asyncio.to_thread(until, lambda: standing.asked >= seen + count)


def timeouts(partition: Partition) -> int:
    return sum(isinstance(decode_event(message.value()), RunTimedOut) for message in partition.seen(RUN_EVENTS))


async def test_an_idle_partition_gives_up_its_run_once_all_is_read(
    partition: Partition, owner: PartitionOwner[RunSnapshot], standing: Standing, clock: Clock
) -> None:
    """No record comes, and its clock goes on: whoever has read all there is may look at the wall's."""
    partition.log(event("started"))
    await read_all(partition, owner)
    standing.is_caught_up = True
    await ticks(standing)
    assert timeouts(partition) == 0
    clock.ahead = timedelta(hours=1)
    await asyncio.to_thread(until, lambda: timeouts(partition) == 1)
    await read_all(partition, owner)
    assert partition.outcomes().total() == 1


async def test_an_owner_that_lags_gives_nobody_up(
    partition: Partition, owner: PartitionOwner[RunSnapshot], standing: Standing, clock: Clock
) -> None:
    """Its clock is the last record's, however late it is on the wall; the heartbeat it has yet to read counts."""
    partition.log(event("started"))
    await read_all(partition, owner)
    clock.ahead = timedelta(hours=9)
    await ticks(standing)
    partition.log(event("beat", event_id="b"))
    await read_all(partition, owner)
    await ticks(standing)
    clock.ahead = timedelta(minutes=59)
    standing.is_caught_up = True
    await ticks(standing)
    assert timeouts(partition) == 0


@pytest.mark.parametrize("state_bytes", [1000])
async def test_an_owner_says_what_left_early_and_that_it_did_not_suffice(
    partition: Partition, owner: PartitionOwner[RunSnapshot], standing: Standing
) -> None:
    standing.is_caught_up = True
    with capture_logs() as logs:
        partition.log(event("recorded", 0), *(event("started", run) for run in range(1, 4)))
        await read_all(partition, owner)
        await asyncio.to_thread(until, lambda: [line for line in logs if line["event"] == "state_bound_exceeded"])
    (early,) = [line for line in logs if line["event"] == "evicted_early"]
    exceeded = next(line for line in logs if line["event"] == "state_bound_exceeded")
    assert (early["count"], exceeded["state_bytes"], exceeded["log_level"]) == (1, 1000, "error")
    await asyncio.to_thread(until, lambda: [message.value() for message in partition.seen(RUNS)].count(None) == 1)
