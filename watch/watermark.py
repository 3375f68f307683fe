"""Keeps the watermark: probe after probe through the pipeline, each that comes through extends a span."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

import structlog
from confluent_kafka import KafkaException
from psycopg.rows import class_row

from runledger.schemas.topics import AGENTS, INCIDENTS, RUN_EVENTS, RUN_LOG, RUN_OUTCOMES, RUN_SCORES, RUNS, SETTINGS
from runledger.vitals import Watched, put, watch
from runledger.vitals.metrics import OPEN_RUNS, WATERMARK
from runledger.watch.availability import Availability
from runledger.watch.broker import Broker
from runledger.watch.database import Connection, Database, heals, reason_of
from runledger.watch.probe import (
    GiveUp,
    GoOn,
    Hop,
    LookInto,
    Partition,
    Probe,
    Reached,
    Span,
    Wait,
    found_empty,
    go_on,
    look,
)
from runledger.watch.settings import WatchSettings
from runledger.watch.spans import PipelineSpan, advance
from runledger.watch.statements import statement
from runledger.watch.stopping import pause, work_until_stopped

TOPICS_OF = {
    Hop.STAGE_1: (RUN_EVENTS,),
    Hop.STAGE_2: (RUN_OUTCOMES,),
    Hop.TABLES: (RUN_EVENTS, RUNS, AGENTS, RUN_LOG, INCIDENTS, RUN_SCORES, SETTINGS),
}
"""What each hop's reader reads."""

_FIRST_LOOK_SECONDS, _SLOWEST_LOOK_SECONDS = 0.02, 0.3
_PRUNING_SECONDS = 3600.0
_COUNTING_SECONDS = 30.0
_log = structlog.get_logger()


async def keep_watermark(settings: WatchSettings, stopping: asyncio.Event) -> None:
    """Probe until `stopping` is set.

    Raises:
        psycopg.Error: the database is in a state that waiting does not mend.
    """
    watermark = Watermark(settings)
    availability = Availability("watermark", settings.retry_limit_seconds)
    try:
        while not stopping.is_set():
            began = time.monotonic()
            try:
                await work_until_stopped(stopping, watermark.probe())
            except Exception as error:
                if not (isinstance(error, KafkaException) or heals(error)):
                    raise
                watermark.forget()
                await pause(stopping, availability.lost(_name(error)))
                continue
            availability.answered()
            await pause(stopping, began + settings.probe_seconds - time.monotonic())
    finally:
        await watermark.close()


def _name(error: Exception) -> str:
    return str(error.args[0].name()) if isinstance(error, KafkaException) else reason_of(error)


class Watermark(Watched):
    """Walks probes through the pipeline and writes what they show."""

    def __init__(self, settings: WatchSettings) -> None:
        self._settings = settings
        self._broker = Broker(settings)
        self._database = Database(settings.postgres, "runledger-watermark", settings.request_seconds)
        self._empty: Mapping[Partition, Span] = {}
        self._pruned_at = -_PRUNING_SECONDS
        self._counted_at = -_COUNTING_SECONDS
        self._is_behind = False
        watch(self)

    def troubles(self) -> Mapping[str, str]:
        """Tell that probes are given up."""
        return {"pipeline_behind": "a probe has not come through in its time"} if self._is_behind else {}

    async def probe(self) -> PipelineSpan | None:
        """Walk one probe to its end.

        Returns:
            The span it began or extended; None if it was given up, or another watch was faster.

        Raises:
            KafkaException, psycopg.Error, TimeoutError: broker or database refused or did not answer.
        """
        began = time.monotonic()
        asked_at = await self._database.ask(_ask_time)
        ends = await self._broker.ends(TOPICS_OF[Hop.STAGE_1])
        probe = Probe(asked_at, began + self._settings.probe_limit_seconds, ends, empty=self._empty)
        if not await self._walk(probe):
            return None
        span = await self._write(asked_at)
        put(WATERMARK, asked_at.timestamp())
        _log.debug("probe_came_through", seconds=round(time.monotonic() - began, 4))
        if time.monotonic() - self._counted_at >= _COUNTING_SECONDS:
            self._counted_at = time.monotonic()
            put(OPEN_RUNS, await self._count_open_runs())
        return span

    async def _count_open_runs(self) -> float:
        """Count the runs that go on; NaN where that takes too long, as it may with millions: no probe is lost by it."""
        try:
            return await self._database.ask(_count_open_runs)
        except Exception as error:
            if not heals(error):
                raise
            _log.info("open_runs_not_counted", reason=reason_of(error))
            return math.nan

    async def _walk(self, probe: Probe) -> bool:
        pause_seconds = _FIRST_LOOK_SECONDS
        while True:
            probe, decision = look(probe, await self._positions(probe.hop), time.monotonic())
            match decision:
                case Reached():
                    self._note_behind(None)
                    return True
                case GoOn(hop):
                    probe = go_on(probe, hop, await self._broker.ends(TOPICS_OF[hop]))
                    pause_seconds = _FIRST_LOOK_SECONDS
                    continue
                case GiveUp():
                    self._note_behind(decision)
                    return False
                case LookInto(spans):
                    empty = await self._broker.find_empty(spans)
                    probe = found_empty(probe, empty)
                    self._empty = probe.empty
                    if empty:
                        continue
                case Wait():
                    pass
                case _:
                    assert_never(decision)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, _SLOWEST_LOOK_SECONDS)

    async def _positions(self, hop: Hop) -> dict[Partition, int]:
        match hop:
            case Hop.STAGE_1 | Hop.STAGE_2:
                return await self._broker.stage_positions(TOPICS_OF[hop][0])
            case Hop.TABLES:
                return await self._database.ask(self._read_positions)
            case _:
                assert_never(hop)

    async def _read_positions(self, connection: Connection) -> dict[Partition, int]:
        topics = [topic.name(self._settings.topic_prefix) for topic in TOPICS_OF[Hop.TABLES]]
        rows = await (await connection.execute(statement("read_positions"), {"topics": topics})).fetchall()
        return {(topic, number): next_offset for topic, number, next_offset in rows}

    async def _write(self, asked_at: datetime) -> PipelineSpan | None:
        async def write(connection: Connection) -> PipelineSpan | None:
            await connection.execute(statement("lock_spans"))
            async with connection.cursor(row_factory=class_row(PipelineSpan)) as cursor:
                newest = await (await cursor.execute(statement("find_newest_span"))).fetchone()
            span = advance(newest, asked_at, timedelta(seconds=self._settings.pause_seconds))
            if span is not None:
                values = {"began_at": span.began_at, "reached_at": span.reached_at}
                await connection.execute(statement("upsert_span"), values)
            if prune:
                before = asked_at - timedelta(days=self._settings.kept_days)
                await connection.execute(statement("delete_spans"), {"before": before})
            return span

        prune = time.monotonic() - self._pruned_at >= _PRUNING_SECONDS
        span = await self._database.ask(write)
        if prune:
            self._pruned_at = time.monotonic()
        if span is not None and span.began_at == span.reached_at:
            _log.info("span_began", began_at=span.began_at.isoformat())
        return span

    def _note_behind(self, given_up: GiveUp | None) -> None:
        """Log it once that the pipeline is too far behind, and once that it is no longer."""
        if given_up is not None and not self._is_behind:
            _log.warning("pipeline_behind", hop=given_up.hop.name.lower(), partitions=given_up.partitions)
        elif given_up is None and self._is_behind:
            _log.info("pipeline_caught_up")
        self._is_behind = given_up is not None

    def forget(self) -> None:
        """Trust nothing that was learnt of the logs: a topic may have been made anew."""
        self._empty = {}
        self._broker.forget()

    async def close(self) -> None:
        """Close the connections."""
        await self._broker.close()
        await self._database.close()


async def _ask_time(connection: Connection) -> datetime:
    row = await (await connection.execute(statement("ask_time"))).fetchone()
    assert row is not None  # noqa: S101  # a SELECT without FROM gives one row
    moment: datetime = row[0]
    return moment


async def _count_open_runs(connection: Connection) -> int:
    row = await (await connection.execute(statement("count_open_runs"))).fetchone()
    assert row is not None  # noqa: S101  # an aggregate gives one row
    return int(row[0])
