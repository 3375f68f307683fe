"""What an owner does with batches when its partition is taken away and given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import pytest_asyncio
from faust.types import TP

from runledger.processors.owner import PartitionOwner
from runledger.processors.records import Batch
from runledger.processors.run_stage import RunStage
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.topics import RUN_EVENTS
from tests.integration.processors.partition import PARTITION, Partition, until, usage

pytestmark = pytest.mark.integration


class Standing:
    """A consumer that fetches nothing by itself: the test hands over the batches."""

    def caught_up(self, tp: TP, next_offset: int) -> bool:
        return False

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


@pytest_asyncio.fixture
async def owner(partition: Partition, crashes: list[BaseException]) -> AsyncIterator[PartitionOwner[RunSnapshot]]:
    broker = partition.broker()
    with ThreadPoolExecutor(2) as executor:
        tp = TP(partition.name(RUN_EVENTS), PARTITION)
        owner = PartitionOwner(tp, RunStage(broker.settings), broker, executor, Standing(), crashes.append)
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
