"""Put the processor together: one Faust app that runs both stages, and its stores."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Sequence, Set
from typing import Any

import faust
import structlog
from faust.types import TP

from runledger.processors.agent_stage import AgentStage
from runledger.processors.batching import BatchTransport
from runledger.processors.credentials import broker_credentials
from runledger.processors.fold import Stage
from runledger.processors.owners import Owners
from runledger.processors.policies import Policies, default_policy
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import ProcessorSettings
from runledger.vitals import beat_for_ever, told_to_end
from runledger.vitals.exits import EXIT_CRASHED

_LEAVE_SECONDS = 3.0
"""For Faust to leave the group, once the commits under way have ended. Who is still in it is soon taken for dead."""
_FETCHED_RECORDS, _FETCHED_BYTES = 8000, 4 * 1024 * 1024
"""Of each partition at once: Faust and the broker charge per fetch, and with 2,000 and 1 MiB a record took a fifth more
of our CPU and half again of the broker's (B1)."""
_log = structlog.get_logger()


class _App(faust.App):
    """One without folders: state is the stores', and nothing of Faust's is kept on disk."""

    def _create_directories(self) -> None:
        pass


class _Worker(faust.Worker):
    """One that ends when it is told to, though the broker is away: Faust would wait for it, without a bound.

    Args:
        app: to run.
        owners: of its partitions.
    """

    def __init__(self, app: faust.App, owners: Owners) -> None:
        super().__init__(app, quiet=True, override_logging=False, redirect_stdouts=False)
        self.spinner = None  # it writes control sequences to stdout, quiet or not
        self._owners = owners

    def _install_signal_handlers_unix(self) -> None:
        """Take no other signals: Faust would answer them with the records in hand, or with a debugger."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self.loop.add_signal_handler(number, self._schedule_shutdown, number)

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        told_to_end()
        super()._schedule_shutdown(signal)

    async def _stop_on_signal(self, signal: signal.Signals) -> None:
        """Let the commits under way end, then leave the group; what is not committed counts for nobody."""
        await self._owners.close()
        stopping = asyncio.ensure_future(super()._stop_on_signal(signal))
        await asyncio.wait([stopping], timeout=_LEAVE_SECONDS)
        if not stopping.done():
            _log.warning("group_not_left", seconds=_LEAVE_SECONDS)
            os._exit(0)


def _create(
    settings: ProcessorSettings, stages: Sequence[Stage[Any]], policies: Policies | None
) -> tuple[faust.App, Owners]:
    """Make the Faust app: membership, fetching, back-pressure and dispatch are Faust's; state is the stores'."""
    app = _App(
        f"{settings.topic_prefix}processors",
        broker=f"kafka://{settings.kafka}",
        broker_credentials=broker_credentials(settings),
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="none",
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_disable_leader=True,
        broker_commit_interval=5.0,
        broker_max_poll_records=_FETCHED_RECORDS,
        consumer_max_fetch_size=_FETCHED_BYTES,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        broker_rebalance_timeout=settings.rebalance_timeout_seconds,
        broker_request_timeout=30,
        stream_buffer_maxsize=16,
        stream_wait_empty=False,
    )
    transport = BatchTransport(app.conf.broker, app)
    owners = Owners(app, {stage.source: stage for stage in stages}, settings, policies)
    transport.partitions = owners
    transport.gather_seconds = min(stage.commit_interval_seconds for stage in stages)
    if "read_committed" in settings.unsafe_disable:
        transport.isolation_level = "read_uncommitted"
    app.transport = transport
    _connect(app, owners)
    app.task(owners.watch)
    app.task(owners.tell_positions)
    app.task(beat_for_ever)

    async def feed(batches: Any) -> None:
        async for batch in batches:
            await owners.put(batch)

    for stage in stages:
        app.agent(app.topic(stage.source, key_type=bytes, value_type=None, acks=False), name=stage.name)(feed)
    return app, owners


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


def _calm_collector() -> None:
    """Let the garbage collector look seldom: what a fold makes holds no cycles, and it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def run_processor(settings: ProcessorSettings | None = None, stages: Sequence[Stage[Any]] | None = None) -> None:
    """Run stages until SIGTERM or SIGINT.

    Args:
        settings: from the environment if left out.
        stages: what to run; the ledger's two if left out. Each has a source, a changelog and a positions topic of its
            own, all of `settings.partitions` partitions.

    Raises:
        SystemExit: with 0 after a signal; a crash ends the process with 70, a loud stop with 78.
    """
    settings = settings or ProcessorSettings()
    policies = None
    if not stages:
        policies = Policies(default_policy(settings))
        stages = RunStage(settings, policies), AgentStage(settings, policies)
    app, owners = _create(settings, stages, policies)
    owners.follow_settings()
    _calm_collector()
    worker = _Worker(app, owners)
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        if not owners.leave():
            # A thread still waits for the broker, half a minute long, for something that is not wanted any more.
            os._exit(ended.code if isinstance(ended.code, int) else EXIT_CRASHED)
        raise
