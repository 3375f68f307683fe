"""The owners of the partitions that are assigned to this process, and a watch over what Faust leaves undone."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import faust
import structlog
from faust.types import TP

from runledger.processors.broker import Broker
from runledger.processors.errors import StopLoudly
from runledger.processors.fold import Stage
from runledger.processors.heap import give_back
from runledger.processors.owner import PartitionOwner
from runledger.processors.policies import Policies
from runledger.processors.records import Batch
from runledger.processors.settings import ProcessorSettings
from runledger.processors.settings_follower import SettingsFollower
from runledger.processors.vital_signs import StoreSigns
from runledger.vitals import watch
from runledger.vitals.exits import EXIT_CRASHED, EXIT_STOPPED

_WATCH_SECONDS = 2.0
_STALL_GRACE_SECONDS = 10.0
_STRANDED_WATCHES = 4
"""Longer than a batch waits in Faust's buffer while other partitions hold it back."""
_STALE_SECONDS = 10.0
_SILENT_WATCHES = 30
_TELL_SECONDS = 0.1
_DRAIN_SECONDS = 5.0
"""For the commits under way at the end. What is not committed by then counts for nobody, and is folded again."""
_log = structlog.get_logger()


class Owners:
    """The owners of the assigned partitions.

    Args:
        app: the Faust app whose assignment this follows.
        stages: {source topic: stage}.
        settings: shared by all stores.
        policies: to be kept as the settings topic has them; None for stages that have no use for them.
    """

    def __init__(
        self,
        app: faust.App,
        stages: Mapping[str, Stage[Any]],
        settings: ProcessorSettings,
        policies: Policies | None = None,
    ) -> None:
        self._app = app
        self._stages = stages
        follower = None if policies is None else SettingsFollower(settings, policies, self.crash)
        self._follower = follower
        self._broker = Broker(settings, follower)
        self._executor = ThreadPoolExecutor(4 * settings.partitions, thread_name_prefix="store")
        self._owners: dict[TP, PartitionOwner[Any]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._leaving = False
        watch(StoreSigns(lambda: self._owners, {topic: stage.name for topic, stage in stages.items()}))

    def follow_settings(self) -> None:
        """Begin to read the settings topic."""
        if self._follower is not None:
            self._follower.start()

    async def revoked(self) -> None:
        """Stop committing. The protocol is eager: everything goes, and whether it comes back we learn next."""
        for owner in self._owners.values():
            owner.revoke()

    async def assigned(self, tps: Set[TP]) -> None:
        """Keep the owners of partitions that stayed ours without a generation between, close the rest, open the new."""
        if self._leaving:
            return
        generation = self._app.consumer_generation_id
        mine = {tp for tp in tps if tp.topic in self._stages}
        for tp, owner in list(self._owners.items()):
            if tp not in mine or owner.generation != generation - 1:
                self._close_soon(self._owners.pop(tp))
        for tp in mine:
            owner = self._ensure(tp)
            owner.generation = generation
            owner.open_soon()
        _log.info("assigned", generation=generation, partitions=len(mine))

    def _ensure(self, tp: TP) -> PartitionOwner[Any]:
        owner = self._owners.get(tp)
        if owner is None:
            owner = self._owners[tp] = PartitionOwner(
                tp, self._stages[tp.topic], self._broker, self._executor, self, self.crash
            )
        owner.assigned = True
        return owner

    def read_until(self, tp: TP, next_offset: int) -> datetime | None:
        """Return a time before which nothing beyond `next_offset` was logged; None where that is not known."""
        asked_at: float | None = self._consumer.read_until(tp, next_offset)
        return None if asked_at is None else datetime.fromtimestamp(asked_at, UTC)

    def rebalancing(self) -> bool:
        """Whether the assignment is about to change."""
        return bool(self._app.rebalancing)

    async def seek_store(self, tp: TP, position: int, epoch: int) -> None:
        """Fetch the partition from its store's position."""
        await self._consumer.seek_stores({tp: (position, epoch)})

    @property
    def _consumer(self) -> Any:
        return self._app.consumer

    async def watch(self) -> None:
        """Mend what Faust leaves undone, and give up where it comes back neither from a rebalance nor with records."""
        settings = self._broker.settings
        limit = settings.session_timeout_seconds + settings.rebalance_timeout_seconds + _STALL_GRACE_SECONDS
        silent, rebalancing_since = 0, None
        stranded: dict[TP, tuple[object, int]] = {}
        openings: Mapping[TP, int] = {}
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            openings = await self._give_back_memory(openings)
            now = time.monotonic()
            silent = silent + 1 if self._is_silent() else 0
            if (silent or rebalancing_since is not None) and not await self._broker_answers():
                silent, rebalancing_since = 0, None
                continue  # a new process would fare no better
            if silent > _SILENT_WATCHES:
                self.crash(RuntimeError(f"no fetch was answered for {silent * _WATCH_SECONDS:.0f} s"))
            rebalancing_since = (rebalancing_since or now) if self.rebalancing() else None
            if rebalancing_since is not None and now - rebalancing_since > limit:
                self.crash(RuntimeError(f"a rebalance has not ended for {limit:.0f} s"))
            stranded = {} if rebalancing_since is not None else await self._seek_stranded(stranded)

    async def tell_positions(self) -> None:
        """Commit to the group how far the stores have come, for tools that show lag, and the watch; none begins there.

        One request for all partitions: inside their transactions it was a quarter of what each cost the broker.
        """
        told: dict[TP, int] = {}
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            places = {tp: owner.place for tp, owner in self._owners.items() if owner.is_open}
            stand = {tp: place[0] for tp, place in places.items() if place is not None}
            told = {tp: position for tp, position in told.items() if tp in stand}
            moved = {tp: position for tp, position in stand.items() if told.get(tp) != position}
            if moved and not self.rebalancing() and await self._consumer.tell(moved):
                told |= moved

    async def _seek_stranded(self, before: Mapping[TP, tuple[object, int]]) -> dict[TP, tuple[object, int]]:
        """Seek again where nobody has sought, or where what was fetched got lost between the fetch and its owner.

        Args:
            before: {partition: (where its store stood, for how many watches)} of those that seemed stranded last time.

        Returns:
            The same, as of now.
        """
        stranded: dict[TP, tuple[object, int]] = {}
        for tp, owner in list(self._owners.items()):
            place = owner.place
            if not owner.is_open or owner.is_busy or self._consumer.reached(tp) == place:
                continue
            stood, watches = before.get(tp, (None, 0))
            watches = watches + 1 if stood == place else 1
            if watches > _STRANDED_WATCHES:
                _log.warning("sought_again", topic=tp.topic, partition=tp.partition)
                await owner.seek()
            else:
                stranded[tp] = place, watches
        return stranded

    async def _give_back_memory(self, before: Mapping[TP, int]) -> Mapping[TP, int]:
        """Give memory back once stores were opened or given up, and none is on its way any more.

        Args:
            before: {partition: which opening of it} as it was when memory was given back last.

        Returns:
            The same, as of now.
        """
        openings = {tp: owner.restoring[0] for tp, owner in self._owners.items()}
        moving = self._closing or self.rebalancing() or not all(owner.is_open for owner in self._owners.values())
        if self._leaving or moving or openings == before:
            return before
        began = time.monotonic()
        if await asyncio.get_running_loop().run_in_executor(None, give_back):
            _log.info("memory_given_back", stores=len(openings), seconds=round(time.monotonic() - began, 3))
        return openings

    async def _broker_answers(self) -> bool:
        return await asyncio.get_running_loop().run_in_executor(None, self._broker.answers)

    def _is_silent(self) -> bool:
        """Whether nobody is at work, and yet a partition's last answer is old: its fetching has died unseen."""
        fetched = [self._consumer.fetched_at(tp) for tp, owner in self._owners.items() if owner.is_open]
        stale = any(at is not None and time.time() - at > _STALE_SECONDS for at in fetched)
        return stale and not any(owner.is_busy for owner in self._owners.values())

    def _close_soon(self, owner: PartitionOwner[Any]) -> None:
        task = asyncio.create_task(owner.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def restart_from(self, tps: Set[TP]) -> Mapping[TP, tuple[int, int]] | None:
        """Return {partition: (position, epoch)} of the stores that are open; None while a rebalance is under way."""
        if tps != {tp for tp, owner in self._owners.items() if owner.assigned}:
            return None
        found: dict[TP, tuple[int, int]] = {}
        for tp in sorted(tps):
            owner = self._owners.get(tp)
            if owner is not None and owner.is_open:
                position, epoch = await owner.restart_from()
                if position is not None:
                    found[tp] = position, epoch
        return found

    async def put(self, batch: Batch) -> None:
        """Hand a batch to its partition's owner; without one it is dropped and comes again to whoever owns it."""
        owner = self._owners.get(TP(batch.topic, batch.partition))
        if owner is not None:
            await owner.put(batch)

    async def close(self) -> None:
        """Give up every partition, after the commits that are under way, and take none any more."""
        self._leaving = True
        owners, self._owners = self._owners, {}
        for owner in owners.values():
            self._close_soon(owner)
        if self._closing:
            await asyncio.wait(set(self._closing), timeout=_DRAIN_SECONDS)

    def leave(self) -> bool:
        """Let the threads end; whether the executor's did within a second."""
        if self._follower is not None:
            self._follower.close()
        leaving = threading.Thread(target=self._executor.shutdown, kwargs={"cancel_futures": True}, daemon=True)
        leaving.start()
        leaving.join(1.0)
        return not leaving.is_alive()

    def crash(self, error: BaseException) -> None:
        """End the process at once: its state is committed, and a new one goes on from there."""
        stopped = isinstance(error, StopLoudly)
        _log.critical("stopped" if stopped else "crashed", error=str(error), exc_info=None if stopped else error)
        os._exit(EXIT_STOPPED if stopped else EXIT_CRASHED)
