"""A fetch becomes one batch that knows where it began, and only after its store has sought."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka.errors import CommitFailedError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from runledger.processors import batching
from runledger.processors.batching import BatchConsumer, BatchThread, BatchTransport
from runledger.processors.errors import Discontinuity, StopLoudly
from runledger.processors.fetching import Asked
from tests.unit.processors.logs import Logged

ONE, TWO = TP("t.run-events", 0), TP("t.run-events", 1)


@dataclass
class Fetched:
    """aiokafka's consumer, as far as it is asked: an assignment with positions."""

    positions: dict[TP, int]
    records: dict[TP, list[Logged]] = field(default_factory=dict)
    error: Exception | None = None
    is_away: bool = False
    committed: dict[TP, int] = field(default_factory=dict)
    waits: SimpleNamespace = field(default_factory=SimpleNamespace)
    """What the next request asks the broker to wait for."""

    @property
    def _fetcher(self) -> SimpleNamespace:
        assignment = SimpleNamespace(active=True, tps=set(self.positions), state_value=self._state)
        self.waits._subscriptions = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
        return self.waits

    def _state(self, tp: TP) -> SimpleNamespace:
        position = self.positions[tp]
        return SimpleNamespace(position=position, has_valid_position=True)

    def assignment(self) -> set[TP]:
        return set(self.positions)

    def seek(self, tp: TP, offset: int) -> None:
        self.positions[tp] = offset

    async def commit(self, offsets: dict[TP, OffsetAndMetadata]) -> None:
        if self.error is not None:
            raise self.error
        if self.is_away:
            await asyncio.Event().wait()
        self.committed |= {tp: it.offset for tp, it in offsets.items()}

    def arrive(self, tp: TP, *records: Logged, position: int) -> None:
        """Let a fetch bring records and move the position."""
        self.records[tp] = list(records)
        self.positions[tp] = position


class Partitions:
    """Who would end the process."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    def crash(self, error: BaseException) -> None:
        self.errors.append(error)


async def ignore(*_: object) -> None:
    """Hear of nothing."""


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchConsumer]:
    async def fetch_records(thread: BatchThread, consumer: Fetched, active: set[TP], **_: object) -> dict[TP, Any]:
        if consumer.error is not None:
            raise consumer.error
        assert active
        return {tp: consumer.records.pop(tp) for tp in active if tp in consumer.records}

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch_records)
    app = faust.App("batching", broker="kafka://nowhere", store="memory://")
    transport = BatchTransport(app.conf.broker, app)
    transport.partitions = Partitions()  # type: ignore[assignment]  # only its crash is asked for here
    app.transport = transport
    made = BatchConsumer(transport, ignore, on_partitions_revoked=ignore, on_partitions_assigned=ignore)
    yield made
    made._thread.thread_loop.close()


@pytest.fixture
def fetched(consumer: BatchConsumer) -> Fetched:
    fetched = Fetched({ONE: 0, TWO: 0})
    consumer._thread._consumer = fetched
    return fetched


async def fetch(consumer: BatchConsumer, fetched: Fetched) -> dict[TP, Any]:
    return {tp: batch for tp, (batch,) in (await consumer._thread._fetch_records(fetched, {ONE, TWO})).items()}


async def test_nothing_is_fetched_before_its_store_has_sought(consumer: BatchConsumer, fetched: Fetched) -> None:
    fetched.arrive(ONE, Logged(0, 0, None, None), position=1)
    assert await fetch(consumer, fetched) == {}
    await consumer._thread.seek_stores({TWO: (7, 1)})
    fetched.arrive(TWO, Logged(7, 0, None, None), position=8)
    assert set(await fetch(consumer, fetched)) == {TWO}


async def test_batches_follow_each_other_without_a_gap(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({ONE: (7, 1)})
    fetched.arrive(ONE, Logged(8, 0, None, None), position=9)
    first = (await fetch(consumer, fetched))[ONE]
    assert (first.start, first.end, len(first.records), first.epoch) == (7, 9, 1, 1)
    fetched.arrive(ONE, Logged(12, 0, None, None), position=13)
    second = (await fetch(consumer, fetched))[ONE]
    assert (second.start, second.end) == (9, 13)


async def test_a_fetch_that_met_only_markers_is_an_empty_batch(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({ONE: (7, 1)})
    assert await fetch(consumer, fetched) == {}
    fetched.arrive(ONE, position=10)
    batch = (await fetch(consumer, fetched))[ONE]
    assert (batch.start, batch.end, list(batch.records)) == (7, 10, [])


async def test_records_that_flow_are_gathered_and_the_first_after_a_pause_comes_at_once(
    consumer: BatchConsumer, fetched: Fetched
) -> None:
    await consumer._thread.seek_stores({ONE: (7, 1)})
    fetched.arrive(ONE, Logged(7, 0, None, None), position=8)
    await fetch(consumer, fetched)
    assert fetched.waits._fetch_min_bytes > 1
    assert fetched.waits._fetch_max_wait_ms == 30
    await fetch(consumer, fetched)
    assert fetched.waits._fetch_min_bytes == 1


async def test_the_later_epoch_holds_whichever_seek_comes_first(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({ONE: (7, 2)})
    await consumer._thread.seek_stores({ONE: (5, 1)})
    assert (fetched.positions[ONE], consumer.reached(ONE)) == (7, (7, 2))
    await consumer._thread.seek_stores({ONE: (3, 3)})
    assert (fetched.positions[ONE], consumer.reached(ONE)) == (3, (3, 3))


async def test_a_partition_that_is_not_ours_is_not_sought(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({TP("t.run-events", 9): (7, 1)})
    assert consumer.reached(TP("t.run-events", 9)) is None


async def test_records_of_an_earlier_assignment_are_dropped(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({ONE: (7, 1)})
    consumer._thread._ends.clear()
    assert consumer._thread._as_batch(ONE, [Logged(7, 0, None, None)]) is None


async def test_a_partition_assigned_while_we_waited_is_no_error(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({ONE: (7, 1)})
    fetched.error = NoOffsetForPartitionError(ONE)
    assert await fetch(consumer, fetched) == {}


async def test_an_offset_that_left_the_log_ends_the_process(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({ONE: (7, 1)})
    fetched.error = OffsetOutOfRangeError({ONE: 7})
    await fetch(consumer, fetched)
    (error,) = consumer.transport.partitions.errors
    assert isinstance(error, Discontinuity)
    assert (error.topic, error.partition) == ONE


async def test_a_producers_own_time_ends_the_process(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({ONE: (7, 1)})
    fetched.arrive(ONE, Logged(7, 0, None, None), Logged(8, 0, None, None, timestamp_type=0), position=9)
    assert await fetch(consumer, fetched) == {}
    (error,) = consumer.transport.partitions.errors
    assert isinstance(error, StopLoudly)


async def test_faust_sees_a_batch_as_one_message_above_all_before(consumer: BatchConsumer, fetched: Fetched) -> None:
    await consumer._thread.seek_stores({ONE: (7, 1)})
    fetched.arrive(ONE, Logged(7, 0, None, None), position=8)
    batch = (await fetch(consumer, fetched))[ONE]
    first, second = (consumer._to_message(ONE, batch) for _ in range(2))
    assert first.value is batch
    assert second.offset > first.offset


async def test_whoever_holds_all_that_a_fetch_found_has_read_until_it_was_asked_for(
    consumer: BatchConsumer, fetched: Fetched
) -> None:
    fetched.waits.asked = {ONE: Asked(2.5, highwater=8)}
    assert consumer.read_until(ONE, 7) is None
    assert consumer.read_until(ONE, 8) == 2.5
    assert consumer.read_until(ONE, 9) == 2.5
    assert consumer.read_until(TWO, 9) is None
    del fetched.positions[ONE]
    assert consumer.read_until(ONE, 8) is None


async def test_faust_is_told_to_seek_and_commit_nothing(consumer: BatchConsumer, fetched: Fetched) -> None:
    assert await consumer._commit({ONE: 5})
    assert not await consumer._thread._fetch_records(fetched, set())


@pytest.mark.parametrize(("interval", "waits_ms"), [(0, 30), (0.05, 50), (1, 1000)])
async def test_records_are_gathered_for_as_long_as_no_transaction_would_begin(
    consumer: BatchConsumer, fetched: Fetched, interval: float, waits_ms: int
) -> None:
    consumer.transport.gather_seconds = interval
    await consumer._thread.seek_stores({ONE: (7, 1)})
    fetched.arrive(ONE, Logged(7, 0, None, None), position=8)
    await fetch(consumer, fetched)
    assert fetched.waits._fetch_max_wait_ms == waits_ms


async def test_the_group_is_told_positions_of_what_is_ours(consumer: BatchConsumer, fetched: Fetched) -> None:
    assert await consumer._thread.tell({ONE: 7})
    del fetched.positions[TWO]
    assert not await consumer._thread.tell({ONE: 8, TWO: 3})
    assert not await consumer._thread.tell({TWO: 4})
    assert fetched.committed == {ONE: 8}


async def test_what_the_group_refuses_is_to_be_told_again(consumer: BatchConsumer, fetched: Fetched) -> None:
    fetched.error = CommitFailedError("the group has rebalanced")
    assert not await consumer._thread.tell({ONE: 7})
    fetched.error = None
    assert await consumer._thread.tell({ONE: 7})


async def test_telling_the_group_gives_up_while_the_broker_is_away(
    consumer: BatchConsumer, fetched: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "_TELLING_SECONDS", 0.01)
    fetched.is_away = True
    assert not await consumer._thread.tell({ONE: 7})
