"""Put the processor together: one Faust app that runs both stages, and its stores."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faust
import structlog
from faust.types import TP

from runledger.processors.agent_stage import AgentStage
from runledger.processors.batching import BatchTransport
from runledger.processors.errors import StopLoudly
from runledger.processors.fold import Stage
from runledger.processors.owner import PartitionOwner
from runledger.processors.records import Batch
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import ProcessorSettings
from runledger.processors.store import Broker

EXIT_CRASHED = 70
"""sysexits.h: internal software error. The supervisor starts the process again, and it goes on from its position."""
EXIT_STOPPED = 78
"""sysexits.h: configuration error. Starting again does not help before a person has looked."""

_log = structlog.get_logger()


class Owners:
    """The owners of the assigned partitions.

    Args:
        app: the Faust app whose assignment this follows.
        stages: {source topic: stage}.
        settings: shared by all stores.
    """

    def __init__(self, app: faust.App, stages: Mapping[str, Stage[Any]], settings: ProcessorSettings) -> None:
        self._app = app
        self._stages = stages
        self._broker = Broker(settings)
        self._executor = ThreadPoolExecutor(4 * settings.partitions, thread_name_prefix="store")
        self._owners: dict[TP, PartitionOwner[Any]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def revoked(self) -> None:
        """Stop committing. The protocol is eager: everything goes, and whether it comes back we learn next."""
        for owner in self._owners.values():
            owner.assigned = False

    async def assigned(self, tps: Set[TP]) -> None:
        """Keep the owners of partitions that stayed ours without a generation between, close the rest, open the new."""
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
                tp, self._stages[tp.topic], self._broker, self._executor, self._caught_up, self.crash
            )
        owner.assigned = True
        return owner

    def _caught_up(self, tp: TP, next_offset: int) -> bool:
        consumer: Any = self._app.consumer
        return bool(consumer.caught_up(tp, next_offset))

    def _close_soon(self, owner: PartitionOwner[Any]) -> None:
        task = asyncio.create_task(owner.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def restart_from(self, tps: Set[TP]) -> Mapping[TP, tuple[int, int]] | None:
        """Open what is not open, and return {partition: (position, epoch)}; None if one was lost meanwhile."""
        found: dict[TP, tuple[int, int]] = {}
        for tp in sorted(tps):
            position, epoch = await self._ensure(tp).restart_from()
            if position is None:
                return None
            found[tp] = position, epoch
        return found

    async def put(self, batch: Batch) -> None:
        """Hand a batch to its partition's owner; without one it is dropped and comes again to whoever owns it."""
        owner = self._owners.get(TP(batch.topic, batch.partition))
        if owner is not None:
            await owner.put(batch)

    async def close(self) -> None:
        """Give up every partition, after the commits that are under way."""
        await asyncio.gather(*(owner.close() for owner in self._owners.values()), *self._closing)
        self._owners.clear()

    def crash(self, error: BaseException) -> None:
        """End the process at once: its state is committed, and a new one goes on from there."""
        stopped = isinstance(error, StopLoudly)
        _log.critical("stopped" if stopped else "crashed", error=str(error), exc_info=None if stopped else error)
        os._exit(EXIT_STOPPED if stopped else EXIT_CRASHED)


def create_app(settings: ProcessorSettings) -> faust.App:
    """Make the Faust app: membership, fetching, back-pressure and dispatch are Faust's; state is the stores'."""
    app = faust.App(
        f"{settings.topic_prefix}processors",
        broker=f"kafka://{settings.kafka}",
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_disable_leader=True,
        datadir=tempfile.mkdtemp(prefix="runledger-faust-"),
        broker_commit_interval=5.0,
        broker_max_poll_records=2000,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        broker_rebalance_timeout=settings.rebalance_timeout_seconds,
        broker_request_timeout=30,
        stream_buffer_maxsize=16,
        stream_wait_empty=False,
    )
    stages: tuple[Stage[Any], ...] = (RunStage(settings), AgentStage(settings))
    transport = BatchTransport(app.conf.broker, app)
    owners = Owners(app, {stage.source: stage for stage in stages}, settings)
    transport.partitions = owners
    if "read_committed" in settings.unsafe_disable:
        transport.isolation_level = "read_uncommitted"
    app.transport = transport
    _connect(app, owners)

    async def feed(batches: Any) -> None:
        async for batch in batches:
            await owners.put(batch)

    for stage in stages:
        app.agent(app.topic(stage.source, key_type=bytes, value_type=None), name=stage.name)(feed)
    return app


def _connect(app: faust.App, owners: Owners) -> None:
    @app.on_partitions_revoked.connect(weak=False)
    async def on_revoked(_: faust.App, revoked: Set[TP], **kwargs: Any) -> None:
        await owners.revoked()

    @app.on_partitions_assigned.connect(weak=False)
    async def on_assigned(_: faust.App, assigned: Set[TP], **kwargs: Any) -> None:
        await owners.assigned({TP(*tp) for tp in assigned})

    @app.on_before_shutdown.connect(weak=False)
    async def on_shutdown(_: faust.App, **kwargs: Any) -> None:
        await owners.close()


def run_processor(settings: ProcessorSettings | None = None) -> None:
    """Run both stages until SIGTERM or SIGINT.

    Raises:
        SystemExit: with 0 after a signal; a crash ends the process with 70, a loud stop with 78.
    """
    app = create_app(settings or ProcessorSettings())
    worker = faust.Worker(app, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.execute_from_commandline()
