"""Faust's Kafka transport, with two changes: a fetch is one message, and the stores say where to start.

Faust's cost is per message, so each partition's fetched records travel through it as one. Its committed offsets are
never asked: the stores' positions count (ADR 1). Overridden are `_create_worker_consumer`, `_fetch_records` and the
rebalance callbacks of the driver's consumer thread, and `_commit`, `_to_message` and `seek_to_committed` of its
consumer (faust-streaming 0.15.3).
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Set
from typing import Any, Protocol

from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from runledger.processors.assignor import StickyPerTopic
from runledger.processors.errors import Discontinuity, StopLoudly
from runledger.processors.fetching import Asked, fetch_parsed_records
from runledger.processors.records import Batch

_EAGER = (1, 500)
"""(bytes, milliseconds) that the broker waits for where nothing flows: the first record comes at once."""
_STEADY_BYTES = 64 * 1024
"""What the broker waits for where records flow, but no longer than `gather_seconds`: each fetch costs it and Faust."""
_LEAST_GATHERED_SECONDS = 0.03
_IDLE_SECONDS = 0.05
_POLL_SECONDS = 0.2
"""How long a fetch waits for records: a partition whose store has just opened waits no longer for its first one."""
_TELLING_SECONDS = 1.0
"""aiokafka would try for ever; in a later generation the group would take us for a stranger, and we joined anew."""
_LOG_APPEND_TIME = 1
"""A record's timestamp_type in Kafka's protocol: the broker's time, not the producer's."""


class Partitions(Protocol):
    """Who owns the stores."""

    async def restart_from(self, tps: Set[TP]) -> Mapping[TP, tuple[int, int]] | None:
        """Return {partition: (position, epoch)} of the stores that are open; None while a rebalance is under way."""

    def crash(self, error: BaseException) -> None:
        """End the process."""


class BatchThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread: only here do aiokafka's position and the fetched records belong together."""

    consumer: Any  # the BatchConsumer; Faust declares its base

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ends: dict[TP, int] = {}
        """Where the next fetch begins, for partitions sought in this assignment."""
        self._epochs: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Make aiokafka's consumer: read committed records only, and move few partitions in a rebalance."""
        fetch_parsed_records()
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = self.consumer.transport.isolation_level
        consumer._partition_assignment_strategy = [StickyPerTopic]
        consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = _EAGER
        return consumer

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Forget what was sought: it says nothing about the next assignment."""
        self._ends.clear()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        """Fetch nothing until the stores have sought."""
        self._ends.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    def reached(self, tp: TP) -> tuple[int, int] | None:
        """(end of what was fetched, epoch of that fetch); None where the partition has not been sought."""
        end = self._ends.get(tp)
        return None if end is None else (end, self._epochs[tp])

    async def seek_stores(self, positions: Mapping[TP, tuple[int, int]]) -> None:
        """Fetch from {partition: (position, epoch)}, where it is still ours.

        Two seeks of a partition may overtake each other on their way here; the later epoch is the one its owner takes.
        """
        consumer: Any = self._ensure_consumer()
        for tp in positions.keys() & consumer.assignment():
            position, epoch = positions[tp]
            if epoch > self._epochs.get(tp, 0):
                consumer.seek(tp, position)
                self._ends[tp], self._epochs[tp] = position, epoch

    async def tell(self, positions: Mapping[TP, int]) -> bool:
        """Commit {partition: next_offset} to the group; False where some are not ours, or it was refused."""
        consumer: Any = self._ensure_consumer()
        mine = positions.keys() & consumer.assignment()
        offsets = {TopicPartition(*tp): OffsetAndMetadata(positions[tp], "") for tp in mine}
        try:
            async with asyncio.timeout(_TELLING_SECONDS):
                if offsets:
                    await consumer.commit(offsets)
        except (KafkaError, TimeoutError):
            return False  # a rebalance is under way, or the broker is away: they are told again
        return len(mine) == len(positions)

    def fetch_state(self, tp: TP) -> Any | None:
        """Return aiokafka's state of an assigned partition with a valid position, else None."""
        consumer: Any = self._consumer
        subscription = consumer._fetcher._subscriptions.subscription if consumer else None
        assignment = subscription.assignment if subscription else None
        if assignment is None or not assignment.active or tp not in assignment.tps:
            return None
        state = assignment.state_value(tp)
        return state if state.has_valid_position else None

    def asked(self, tp: TP) -> Asked | None:
        """Return what the last answered fetch says of a partition that is ours."""
        if self.fetch_state(tp) is None:
            return None
        consumer: Any = self._consumer
        asked: Mapping[TP, Asked] = consumer._fetcher.asked
        return asked.get(tp)

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Set[TP],
        timeout: float | None = None,  # noqa: ASYNC109  # Faust's signature
        max_records: int | None = None,
    ) -> dict[TP, list[Batch]]:
        """Fetch, and hand over one Batch for each partition that moved."""
        # A copy, since Faust changes its own set, and only what the stores have sought.
        active = {tp for tp in set(active_partitions or ()) if tp in self._ends}
        if not active or not self.consumer.flow_active:
            await asyncio.sleep(_IDLE_SECONDS)  # an empty set would mean "all" to aiokafka, and Faust would spin
            return {}
        try:
            fetched = await super()._fetch_records(consumer, active, timeout=_POLL_SECONDS, max_records=max_records)
        except NoOffsetForPartitionError:
            return {}  # assigned anew while we waited, and not yet sought
        except OffsetOutOfRangeError as error:
            self._out_of_range(error)
            return {}
        fetcher = consumer._fetcher  # its next request goes out after we return
        fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = self._steady() if fetched else _EAGER
        batches: dict[TP, list[Batch]] = {}
        for tp in active:  # nothing is awaited from here on: position and records belong together
            batch = self._as_batch(tp, fetched.get(tp) or ())
            if batch is not None:
                batches[tp] = [batch]
        return batches

    def _steady(self) -> tuple[int, int]:
        seconds = max(_LEAST_GATHERED_SECONDS, self.consumer.transport.gather_seconds)
        return _STEADY_BYTES, round(1000 * seconds)

    def _as_batch(self, tp: TP, records: Any) -> Batch | None:
        state, start = self.fetch_state(tp), self._ends.get(tp)
        if state is None or start is None:
            return None  # revoked meanwhile; a seek comes before the next record
        if not records and state.position == start:
            return None
        if any(record.timestamp_type != _LOG_APPEND_TIME for record in records):
            self._not_in_log_time(tp)
            return None
        # Without records the fetch met only markers or aborted records: the position moves all the same.
        self._ends[tp] = state.position
        return Batch(tp.topic, tp.partition, records, start, state.position, self._epochs[tp])

    def _not_in_log_time(self, tp: TP) -> None:
        """End the process: producers' times say nothing about when a run fell silent."""
        why = "the topic is not in log time: set message.timestamp.type to LogAppendTime"
        self.consumer.transport.partitions.crash(StopLoudly(why, topic=tp.topic, partition=tp.partition))

    def _out_of_range(self, error: OffsetOutOfRangeError) -> None:
        """End the process: when its store opens again, it finds out what became of the log and says so."""
        for tp, offset in error.args[0].items():
            if tp in self._ends:
                gone = Discontinuity(f"the log does not hold {offset}", topic=tp.topic, partition=tp.partition)
                self.consumer.transport.partitions.crash(gone)


class BatchConsumer(driver.Consumer):
    """Faust's consumer: commits nothing but what it is told, and starts where the stores stand."""

    transport: Any  # the BatchTransport; Faust declares its base
    _thread: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sequence = itertools.count(1)

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit nothing that Faust has seen: only what a store has committed counts, see `tell`."""
        return True

    def _to_message(self, tp: TP, batch: Any) -> ConsumerMessage:
        """Wrap a whole Batch as Faust's one message."""
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=next(self._sequence),  # Faust drops what is below its last: a batch read again must pass
            timestamp=time.time(),
            timestamp_type=0,
            headers=[],
            key=None,
            value=batch,
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the positions of the stores that are open. Faust calls this before records flow.

        Never wait for a store here: after `broker_request_timeout` Faust gives up silently and for ever. A store that
        opens later seeks its own partition.
        """
        found = await self.transport.partitions.restart_from({TP(*tp) for tp in self.assignment()})
        if found:
            await self.seek_stores(found)
        return {}  # Faust would keep them to drop messages below

    async def seek_stores(self, positions: Mapping[TP, tuple[int, int]]) -> None:
        """Fetch from {partition: (position, epoch)}, where it is still ours."""
        await self._thread.call_thread(self._thread.seek_stores, positions)

    async def tell(self, positions: Mapping[TP, int]) -> bool:
        """Commit {partition: next_offset} to the group, as its member; False where it is to be done again.

        Not by `call_thread`: while the broker is away it waits, and the seeks of others stand in that queue.
        """
        telling = asyncio.run_coroutine_threadsafe(self._thread.tell(positions), self._thread.thread_loop)
        return await asyncio.wrap_future(telling)

    def reached(self, tp: TP) -> tuple[int, int] | None:
        """(end of what was fetched, epoch of that fetch); None where the partition has not been sought."""
        found: tuple[int, int] | None = self._thread.reached(tp) if self._thread else None
        return found

    def fetched_at(self, tp: TP) -> float | None:
        """Time of the last answer to a fetch, in seconds since 1970; None where the partition is not fetched from."""
        state = self._thread.fetch_state(tp) if self.reached(tp) else None
        return state.timestamp / 1000 if state is not None and state.timestamp else None

    def read_until(self, tp: TP, next_offset: int) -> float | None:
        """Return a time, in seconds since 1970, before which nothing beyond `next_offset` was logged; None if unknown.

        It is when the last fetch was asked for, not when it was answered: the answer may have waited for us.
        """
        asked: Asked | None = self._thread.asked(tp) if self._thread else None
        return asked.at if asked is not None and asked.highwater <= next_offset else None


class BatchTransport(driver.Transport):
    """Faust's transport with the consumer above."""

    Consumer = BatchConsumer
    partitions: Partitions
    isolation_level = "read_committed"
    gather_seconds = _LEAST_GATHERED_SECONDS
    """How long records that flow are gathered before they are fetched: as long as no transaction would begin anyway."""
