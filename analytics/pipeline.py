"""How far the pipeline has come, and when it was listening: without that nobody's silence means anything."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from runledger.analytics.database import Connection, Database, fetch, query

PipelineState: TypeAlias = Literal["current", "behind", "unknown"]
BEHIND_SECONDS = 30.0
"""The watermark is moved every 2 seconds; older than this, the pipeline is behind or its watch is down."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which the pipeline is known to have listened and kept up."""

    began_at: datetime
    reached_at: datetime


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How far the tables have come."""

    state: PipelineState
    as_of: datetime | None
    """All that was logged up to then stands in the tables. None: nobody knows."""
    lag_seconds: float | None
    """How long before `read_at` that is."""
    read_at: datetime
    """When this was read, by the database's clock."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """The watermark as it stands in the tables."""

    as_of: datetime | None
    read_at: datetime


def judge_pipeline(watermark: Watermark) -> Pipeline:
    """Say whether the pipeline keeps up."""
    if watermark.as_of is None:
        return Pipeline("unknown", None, None, watermark.read_at)
    # A watermark from the broker's clock may be a little ahead of the database's.
    lag_seconds = max(0.0, (watermark.read_at - watermark.as_of).total_seconds())
    state: PipelineState = "current" if lag_seconds <= BEHIND_SECONDS else "behind"
    return Pipeline(state, watermark.as_of, lag_seconds, watermark.read_at)


class Listening:
    """Tells how long the pipeline has listened since some moment: our own absence is nobody's silence.

    Args:
        spans: in any order.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans: list[Span] = []
        self._began: list[datetime] = []
        self._before: list[float] = []
        total = 0.0
        for span in sorted(spans, key=lambda span: span.began_at):
            # Spans are apart; if two were not, no second may count twice.
            began_at = max(span.began_at, self._spans[-1].reached_at) if self._spans else span.began_at
            if span.reached_at <= began_at:
                continue
            self._spans.append(Span(began_at, span.reached_at))
            self._began.append(began_at)
            self._before.append(total)
            total += (span.reached_at - began_at).total_seconds()
        self._total = total

    def seconds_since(self, moment: datetime) -> float:
        """Add up the listening after a moment, up to the watermark."""
        number = bisect_right(self._began, moment) - 1
        if number < 0:
            return self._total
        until = min(moment, self._spans[number].reached_at)
        return self._total - self._before[number] - (until - self._began[number]).total_seconds()


async def read_pipeline(connection: Connection) -> Pipeline:
    """Read the watermark on a connection of `Database.answer`."""
    watermarks = await fetch(connection, Watermark, query("select_watermark"), {})
    return judge_pipeline(watermarks[0])


async def read_listening(connection: Connection) -> Listening:
    """Read when the pipeline listened, on a connection of `Database.answer`."""
    return Listening(await fetch(connection, Span, query("select_spans"), {}))


async def ask_pipeline(database: Database) -> Pipeline:
    """Read the watermark.

    Raises:
        ReadUnavailableError: the database does not answer in time.
    """
    return await database.answer(read_pipeline)
