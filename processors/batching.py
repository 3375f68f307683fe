"""Faust's Kafka transport, with two changes: a fetch is one message, and the stores say where to start.

Faust's cost is per message, so each partition's fetched records travel through it as one. Its committed offsets are
never asked: the stores' positions count (ADR 1). Overridden are `_create_worker_consumer`, `_seek_wait` and
`_fetch_records` of the driver's consumer thread, and `_commit`, `_to_message` and `seek_to_committed` of its consumer
(faust-streaming 0.15.3).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Set
from typing import Any, Protocol

import structlog
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from runledger.processors.assignor import StickyPerTopic
from runledger.processors.records import Batch

_FETCH_WAIT_MS = 500
_IDLE_SECONDS = 0.05
_FRESH_SECONDS = 2.0
_log = structlog.get_logger()


class Partitions(Protocol):
    """Who owns the stores."""

    async def restart_from(self, tps: Set[TP]) -> Mapping[TP, tuple[int, int]] | None:
        """Return {partition: (position, epoch)} of the stores that are open; None while a rebalance is under way."""


class BatchThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread: only here do aiokafka's position and the fetched records belong together."""

    consumer: Any  # the BatchConsumer; Faust declares its base

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ends: dict[TP, int] = {}
        self._epochs: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Make aiokafka's consumer: read committed records only, and move few partitions in a rebalance."""
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = self.consumer.transport.isolation_level
        consumer._partition_assignment_strategy = [StickyPerTopic]
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        return consumer

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Forget what was sought: it says nothing about the next assignment."""
        self._ends.clear()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        """Fetch nothing until the stores have sought."""
        self._ends.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    def has_sought(self, tp: TP) -> bool:
        """Whether the partition is fetched from its store's position."""
        return tp in self._ends

    async def _seek_wait(self, consumer: Any, partitions: Mapping[TP, int]) -> None:
        for tp, offset in partitions.items():
            self._ends[tp] = offset
            self._epochs[tp] = self.consumer.epochs[tp]
        await super()._seek_wait(consumer, partitions)

    def fetch_state(self, tp: TP) -> Any | None:
        """Return aiokafka's state of an assigned partition with a valid position, else None."""
        consumer: Any = self._consumer
        subscription = consumer._fetcher._subscriptions.subscription if consumer else None
        assignment = subscription.assignment if subscription else None
        if assignment is None or not assignment.active or tp not in assignment.tps:
            return None
        state = assignment.state_value(tp)
        return state if state.has_valid_position else None

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
        fetched = await super()._fetch_records(consumer, active, timeout=timeout, max_records=max_records)
        batches: dict[TP, list[Batch]] = {}
        for tp in active:  # nothing is awaited from here on: position and records belong together
            batch = self._as_batch(tp, fetched.get(tp) or ())
            if batch is not None:
                batches[tp] = [batch]
        return batches

    def _as_batch(self, tp: TP, records: Any) -> Batch | None:
        state, start = self.fetch_state(tp), self._ends.get(tp)
        if state is None or start is None:
            return None  # revoked meanwhile; a seek comes before the next record
        if not records and state.position == start:
            return None
        # Without records the fetch met only markers or aborted records: the position moves all the same.
        self._ends[tp] = state.position
        return Batch(tp.topic, tp.partition, records, start, state.position, self._epochs[tp])


class BatchConsumer(driver.Consumer):
    """Faust's consumer: commits nothing, and starts where the stores stand."""

    transport: Any  # the BatchTransport; Faust declares its base
    _thread: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.epochs: dict[TP, int] = {}

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit nothing: each store commits its offset inside its transaction."""
        return True

    def _to_message(self, tp: TP, batch: Any) -> ConsumerMessage:
        """Wrap a whole Batch as Faust's one message."""
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=batch.end - 1,
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
        if not found:
            return {}
        positions = {tp: position for tp, (position, _) in found.items()}
        self.epochs.update({tp: epoch for tp, (_, epoch) in found.items()})
        await self.seek_wait(positions)
        return positions

    async def seek_store(self, tp: TP, position: int, epoch: int) -> None:
        """Seek one partition, whose store has just opened."""
        if tp not in {TP(*assigned) for assigned in self.assignment()}:
            return
        self.epochs[tp] = epoch
        try:
            await self.seek_wait({tp: position})
        except IllegalStateError:
            _log.info("seek_too_late", topic=tp.topic, partition=tp.partition)  # unassigned in this very moment

    def has_sought(self, tp: TP) -> bool:
        """Whether the partition is fetched from its store's position."""
        return self._thread is not None and bool(self._thread.has_sought(tp))

    def caught_up(self, tp: TP, next_offset: int) -> bool:
        """Whether a fetch of a moment ago showed that nothing committed lies beyond `next_offset`."""
        state = self._thread.fetch_state(tp) if self._thread else None
        if state is None or not state.timestamp or time.time() - state.timestamp / 1000 > _FRESH_SECONDS:
            return False
        return bool(state.position == state.highwater == next_offset)


class BatchTransport(driver.Transport):
    """Faust's transport with the consumer above."""

    Consumer = BatchConsumer
    partitions: Partitions
    isolation_level = "read_committed"
