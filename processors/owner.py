"""One assigned partition: what was fetched waits, and one task folds and commits all that is there.

So batches grow with load by themselves, and where there is little load a pause lets them grow (ADR 9).
"""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import structlog
from faust.types import TP

from runledger.processors.broker import Broker
from runledger.processors.counting import count_commit
from runledger.processors.errors import Discontinuity, StopLoudly, StoreLost
from runledger.processors.fold import Stage, fold, tick
from runledger.processors.pending import Pace, Pending
from runledger.processors.records import Batch, Changes
from runledger.processors.settings import ProcessorSettings
from runledger.processors.state import PartitionState
from runledger.processors.store import PartitionStore
from runledger.vitals import count
from runledger.vitals.metrics import TRANSACTIONS_ABORTED

S = TypeVar("S")

_TICK_SECONDS = 0.5
_COMMIT_SECONDS = 35.0
"""A little more than the time-outs of the store, which librdkafka does not always keep: a transaction may never
return after a lost connection (confluentinc/librdkafka#5456). The broker has ended the transaction long before."""
_DUE_AT_ONCE = 500
_AT_ONCE_BYTES = 1024 * 1024
"""A quarter of what a fetch of one partition takes: whoever has so much is behind, however few records it is."""
_EPOCHS, _OPENINGS = itertools.count(1), itertools.count(1)
"""Never the same number twice, not even in another owner of the partition."""
_log = structlog.get_logger()


class Fetching(Protocol):
    """What an owner asks of the consumer."""

    def read_until(self, tp: TP, next_offset: int) -> datetime | None:
        """Return a time before which nothing beyond `next_offset` was logged; None where that is not known."""

    def rebalancing(self) -> bool:
        """Whether the assignment is about to change."""

    def seek_store(self, tp: TP, position: int, epoch: int) -> Awaitable[None]:
        """Fetch the partition from its store's position."""


class PartitionOwner(Generic[S]):
    """Folds one source partition for as long as it is assigned to us.

    Args:
        tp: the source partition.
        stage: what to fold it with.
        broker: shared by all owners of the process.
        executor: where blocking calls run.
        fetching: what the owner asks of the consumer.
        crash: called with what nobody expected; does not return.
    """

    def __init__(
        self,
        tp: TP,
        stage: Stage[S],
        broker: Broker,
        executor: Executor,
        fetching: Fetching,
        crash: Callable[[BaseException], None],
    ) -> None:
        self.tp = tp
        self.generation = -1
        self.assigned = True
        self._stage = stage
        self._broker = broker
        self._settings: ProcessorSettings = broker.settings
        self._executor = executor
        self._fetching = fetching
        self._crash = crash
        self._store: PartitionStore[S] | None = None
        self._opened = 0
        self._restored: PartitionStore[S] | None = None
        """The store that is being opened, or was last."""
        self._opening: asyncio.Task[None] | None = None
        self._seeking: asyncio.Task[None] | None = None
        self._closed = False
        self._epoch = next(_EPOCHS)
        pace = Pace(stage.commit_interval_seconds, self._settings.commit_at_once_records, _AT_ONCE_BYTES)
        self._pending = Pending(pace, self._settings.pending_records, self._settings.pending_bytes)
        self._next_tick = 0.0
        self._lock = asyncio.Lock()
        self._task = asyncio.create_task(self._guard(self._run()))

    def open_soon(self) -> asyncio.Task[None]:
        """Open the store in the background: at assignment, since a dead owner's transaction blocks readers."""
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._guard(self._open()))
        return self._opening

    async def restart_from(self) -> tuple[int | None, int]:
        """Return (position to fetch from, epoch of that fetch); None while there is no open store.

        What was fetched before no longer counts, and a fold that waits for a lost store lets go of it at once: it may
        wait for the end of the very rebalance that asks here.
        """
        self._forget()
        async with self._lock:
            store = self._store if self._wanted() else None
            return (None if store is None else store.held.next_offset), self._epoch

    def revoke(self) -> None:
        """Begin no commit: the partition may go to another. If it comes back, it is fetched again from the position."""
        self.assigned = False
        self._forget()

    @property
    def is_open(self) -> bool:
        """Whether the store is open and ours."""
        return self._store is not None and self._wanted()

    @property
    def place(self) -> tuple[int, int] | None:
        """(position, epoch) where the store is open; a fetch that stands elsewhere is ahead or astray."""
        store = self._store  # looked at once: another thread asks, too
        return None if store is None else (store.held.next_offset, self._epoch)

    @property
    def is_busy(self) -> bool:
        """Whether a batch waits or is being committed."""
        return bool(self._pending) or self._lock.locked()

    @property
    def restoring(self) -> tuple[int, int, int]:
        """How far the opening of the store has come: which opening it is, records read, states restored."""
        store = self._restored
        return (self._opened, 0, 0) if store is None else (self._opened, store.records_read, len(store.held.states))

    @property
    def held(self) -> PartitionState[S] | None:
        """What the open store holds; for other threads to look at sizes only."""
        store = self._store
        return None if store is None else store.held

    async def put(self, batch: Batch) -> None:
        """Take a fetched batch; waits while too much is pending, which holds the fetching back."""
        await self._pending.room()
        if not self._closed and batch.epoch == self._epoch:
            self._pending.add(batch)

    async def close(self) -> None:
        """Give the partition up, after the commit that is under way."""
        self._closed = True
        self._forget()
        self._pending.close()
        async with self._lock:
            await self._drop()

    def _wanted(self) -> bool:
        return self.assigned and not self._closed

    def _forget(self) -> None:
        self._pending.forget()
        self._epoch = next(_EPOCHS)

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # nothing may end this task unseen: the process restarts instead
            self._crash(error)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        while self._store is None and self._wanted():
            store = self._restored = PartitionStore(self._broker, self._stage, self.tp.partition)
            self._opened = next(_OPENINGS)
            try:
                await loop.run_in_executor(self._executor, store.open)
            except StoreLost as error:
                _log.warning("store_not_opened", error=str(error))
                await loop.run_in_executor(self._executor, store.close)
                await asyncio.sleep(2 * self._settings.heartbeat_seconds)
                continue
            if not self._wanted():
                await loop.run_in_executor(self._executor, store.close)
                return
            self._store = store
            gc.freeze()  # states stay long, and hold no cycles: the collector need not walk a million of them
            # A task of its own: it takes the lock, which a fold that waits for this store may hold.
            self._seeking = asyncio.create_task(self._guard(self.seek()))

    async def seek(self) -> None:
        """Fetch from the store's position, whatever was fetched before."""
        position, epoch = await self.restart_from()
        if position is not None:
            await self._fetching.seek_store(self.tp, position, epoch)

    async def _drop(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            await asyncio.get_running_loop().run_in_executor(self._executor, store.close)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closed:
            await self._pending.rest(until=self._next_tick)  # without the lock, which revocation waits for
            async with self._lock:
                batches = self._pending.begin()
                if batches:
                    await self._fold(batches, self._epoch)
                if loop.time() >= self._next_tick:  # under load too, else nothing would ever be evicted
                    await self._tick()

    async def _fold(self, batches: list[Batch], epoch: int) -> None:
        """Fold and commit; after a lost commit the same batches again, as long as the partition is ours."""
        while self._wanted() and epoch == self._epoch:
            if self._store is None:
                await self._open_again(epoch)
                continue
            self._check_continuity(self._store.held.next_offset, batches)
            changes = fold(self._stage, self._store.held, batches)
            if changes.next_offset == self._store.held.next_offset or await self._commit(self._store, changes):
                if changes.excess is not None:
                    raise StopLoudly(str(changes.excess), topic=self.tp.topic, partition=self.tp.partition)
                return

    async def _open_again(self, epoch: int) -> None:
        """Open a lost store, unless a heartbeat tells that the partition is lost: a zombie must not fence its heir."""
        await asyncio.sleep(2 * self._settings.heartbeat_seconds)
        if self._wanted() and epoch == self._epoch and not self._fetching.rebalancing():
            await asyncio.wait([self.open_soon()])

    def _check_continuity(self, next_offset: int, batches: list[Batch]) -> None:
        for batch in batches:
            if batch.start > next_offset:
                raise Discontinuity(
                    f"the position is {next_offset}, the batch begins at {batch.start}",
                    topic=self.tp.topic,
                    partition=self.tp.partition,
                )
            next_offset = max(next_offset, batch.end)

    async def _commit(self, store: PartitionStore[S], changes: Changes[S]) -> bool:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(_COMMIT_SECONDS):
                done = await loop.run_in_executor(self._executor, store.commit, changes)
        except TimeoutError as error:
            raise RuntimeError(f"a commit has not ended for {_COMMIT_SECONDS:.0f} s") from error
        except StoreLost as error:
            _log.warning("transaction_lost", stage=self._stage.name, error=str(error))
            count(TRANSACTIONS_ABORTED, 1, self._stage.name)
            await self._drop()
            return False
        if done:
            count_commit(self._stage, changes, loop.time() - began, self._settings.topic_prefix)
        else:
            count(TRANSACTIONS_ABORTED, 1, self._stage.name)
        if done and changes.duplicates:
            _log.info(
                "duplicates_skipped", stage=self._stage.name, partition=self.tp.partition, count=changes.duplicates
            )
        if done and changes.refused:
            _log.warning(
                "dead_letters", stage=self._stage.name, partition=self.tp.partition, count=len(changes.refused)
            )
        return done

    async def _tick(self) -> None:
        """Write what has become due by the partition's own clock."""
        self._next_tick = asyncio.get_running_loop().time() + _TICK_SECONDS
        store = self._store
        if store is None or not self._wanted():
            return
        held = store.held
        now = held.now(self._fetching.read_until(self.tp, held.next_offset))
        if now is None:
            return
        changes, came_up = tick(self._stage, held, now, self.tp.partition, _DUE_AT_ONCE)
        if not changes or await self._commit(store, changes):
            self._tell_of_bound(held, changes)
        elif self._store is None:
            await self._open_again(self._epoch)  # no batch may come for long, but timeouts go on
        held.refile(came_up, now)
        if len(came_up) == _DUE_AT_ONCE or held.is_reviewing or changes.evicted_early:
            self._next_tick = 0.0

    def _tell_of_bound(self, held: PartitionState[S], changes: Changes[S]) -> None:
        """Say loudly that states leave early, and that even this does not suffice."""
        place = {"stage": self._stage.name, "partition": self.tp.partition}
        if changes.evicted_early:
            _log.warning("evicted_early", count=changes.evicted_early, held_bytes=held.held_bytes, **place)
        if changes.excess_bytes:
            _log.error(
                "state_bound_exceeded",
                excess_bytes=changes.excess_bytes,
                state_bytes=self._settings.state_bytes,
                states=len(held.states),
                **place,
            )
