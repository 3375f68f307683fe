"""One assigned partition: what was fetched waits here, and one task folds and commits all that is there.

So batches grow with load by themselves. A transaction costs milliseconds, whether small or large.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Generic, TypeVar

import structlog
from faust.types import TP

from runledger.processors.errors import Discontinuity, StoreLost
from runledger.processors.fold import Stage, fold, tick
from runledger.processors.records import Batch, Changes
from runledger.processors.settings import ProcessorSettings
from runledger.processors.store import Broker, PartitionStore

S = TypeVar("S")

_TICK_SECONDS = 0.5
_DUE_AT_ONCE = 500
_log = structlog.get_logger()


class PartitionOwner(Generic[S]):
    """Folds one source partition for as long as it is assigned to us.

    Args:
        tp: the source partition.
        stage: what to fold it with.
        broker: shared by all owners of the process.
        executor: where blocking calls run.
        caught_up: whether everything logged up to now has been fetched, and lies below the offset given.
        crash: called with what nobody expected; does not return.
    """

    def __init__(
        self,
        tp: TP,
        stage: Stage[S],
        broker: Broker,
        executor: Executor,
        caught_up: Callable[[TP, int], bool],
        crash: Callable[[BaseException], None],
    ) -> None:
        self.tp = tp
        self.generation = -1
        self.assigned = True
        self._stage = stage
        self._broker = broker
        self._settings: ProcessorSettings = broker.settings
        self._executor = executor
        self._caught_up = caught_up
        self._crash = crash
        self._store: PartitionStore[S] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closed = False
        self._epoch = 0
        self._pending: list[Batch] = []
        self._size = 0
        self._filled, self._drained, self._lock = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        self._task = asyncio.create_task(self._guard(self._run()))

    def open_soon(self) -> asyncio.Task[None]:
        """Open the store in the background: at assignment, since a dead owner's transaction blocks readers."""
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._guard(self._open()))
        return self._opening

    async def restart_from(self) -> tuple[int | None, int]:
        """Return (position to fetch from, epoch of that fetch); None if the partition was lost meanwhile.

        What was fetched before no longer counts.
        """
        async with self._lock:
            self._forget()
            epoch = self._epoch
        while self._store is None and self._wanted():
            await asyncio.wait([self.open_soon()])
        return (None if self._store is None else self._store.held.next_offset), epoch

    async def put(self, batch: Batch) -> None:
        """Take a fetched batch; waits while too much is pending, which holds the fetching back."""
        while self._size > self._settings.pending_records and not self._closed:
            self._drained.clear()
            await self._drained.wait()
        if not self._closed and batch.epoch == self._epoch:
            self._pending.append(batch)
            self._size += len(batch.records)
            self._filled.set()

    async def close(self) -> None:
        """Give the partition up, after the commit that is under way."""
        self._closed = True
        self._forget()
        self._filled.set()
        async with self._lock:
            await self._drop()

    def _wanted(self) -> bool:
        return self.assigned and not self._closed

    def _forget(self) -> None:
        self._pending, self._size = [], 0
        self._epoch += 1
        self._drained.set()

    async def _guard(self, work: asyncio.Future[None] | object) -> None:
        try:
            await work  # type: ignore[misc]  # a coroutine of ours
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # nothing may end this task unseen: the process restarts instead
            self._crash(error)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        while self._store is None and self._wanted():
            store = PartitionStore(self._broker, self._stage, self.tp.partition)
            try:
                self._store = await loop.run_in_executor(self._executor, store.open)
            except StoreLost as error:
                _log.warning("store_not_opened", error=str(error))
                await loop.run_in_executor(self._executor, store.close)
                await asyncio.sleep(2 * self._settings.heartbeat_seconds)

    async def _drop(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            await asyncio.get_running_loop().run_in_executor(self._executor, store.close)

    async def _run(self) -> None:
        while not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), _TICK_SECONDS)
            async with self._lock:
                batches, self._pending, self._size = self._pending, [], 0
                self._filled.clear()
                self._drained.set()
                if batches:
                    await self._fold(batches, self._epoch)
                elif self._store is not None and self._wanted():
                    await self._tick(self._store)

    async def _fold(self, batches: list[Batch], epoch: int) -> None:
        """Fold and commit; after a lost commit the same batches again, as long as the partition is ours."""
        while self._wanted() and epoch == self._epoch:
            if self._store is None:
                # A heartbeat first tells whether the partition is still ours: a zombie must not fence its heir.
                await asyncio.sleep(2 * self._settings.heartbeat_seconds)
                if self._wanted() and epoch == self._epoch:
                    await asyncio.wait([self.open_soon()])
                continue
            self._check_continuity(self._store.held.next_offset, batches)
            changes = fold(self._stage, self._store.held, batches)
            if changes.next_offset == self._store.held.next_offset:
                return
            if await self._commit(self._store, changes):
                return

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
        try:
            done = await asyncio.get_running_loop().run_in_executor(self._executor, store.commit, changes)
        except StoreLost as error:
            _log.warning("transaction_lost", stage=self._stage.name, error=str(error))
            await self._drop()
            return False
        if done and changes.duplicates:
            _log.info(
                "duplicates_skipped", stage=self._stage.name, partition=self.tp.partition, count=changes.duplicates
            )
        if done and changes.dead_letters:
            _log.warning(
                "dead_letters", stage=self._stage.name, partition=self.tp.partition, count=changes.dead_letters
            )
        return done

    async def _tick(self, store: PartitionStore[S]) -> None:
        """Write what has become due by the partition's own clock: ours only once we have read all there is."""
        held = store.held
        now = datetime.now(UTC) if self._caught_up(self.tp, held.next_offset) else held.last_logged_at
        if now is None:
            return
        changes, came_up = tick(self._stage, held, now, self.tp.partition, _DUE_AT_ONCE)
        if changes:
            await self._commit(store, changes)
        held.refile(came_up, now)
