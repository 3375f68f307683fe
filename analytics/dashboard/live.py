"""Tell open pages that something changed: one look at the database for all of them, and none while nobody looks on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import structlog

from runledger.analytics.database import Database, query
from runledger.analytics.http.errors import UNREADABLE
from runledger.analytics.pipeline import PipelineState, Watermark, judge_pipeline

LOOK_SECONDS = 0.5
"""Between two looks, while nothing changes."""
NOTICE_SECONDS = 1.0
"""Between two changes that are told, at least."""
STILL_THERE_SECONDS = 15.0
MOST_LISTENERS = 500
LiveState: TypeAlias = PipelineState | Literal["away"]
_LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Mark:
    """How the tables stand."""

    written: int
    as_of: datetime | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """What an open page is told.

    Args:
        version: of the tables; another than before means that what the page shows may have changed.
        state: of the pipeline; away: the database does not answer.
        as_of: all that was logged by then stands in the tables.
    """

    version: int
    state: LiveState
    as_of: datetime | None


class Live:
    """Looks while somebody listens, and tells all listeners.

    Args:
        database: the tables to look at.
        look_seconds: between two looks.
        notice_seconds: between two changes told.
    """

    def __init__(
        self, database: Database, look_seconds: float = LOOK_SECONDS, notice_seconds: float = NOTICE_SECONDS
    ) -> None:
        self._database = database
        self._look_seconds = look_seconds
        self._notice_seconds = notice_seconds
        self._listeners = 0
        self._looking: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._ending = False
        self._notice: Notice | None = None
        self.version = 0
        """Another with each change seen, the same in every process; stands still while nobody listens."""

    @property
    def is_full(self) -> bool:
        """Whether there are as many listeners as can be."""
        return self._listeners >= MOST_LISTENERS

    async def notices(self) -> AsyncGenerator[Notice | None, None]:
        """Give each notice, the latest first of all; None where there was none for a while, until `end`."""
        self._listeners += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        told: Notice | None = None
        try:
            while not self._ending:
                changed = self._changed
                if self._notice is not None and self._notice is not told:
                    told = self._notice
                    yield told
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), STILL_THERE_SECONDS)
                except TimeoutError:
                    yield None
        finally:
            self._listeners -= 1

    def end(self) -> None:
        """Let every listener go."""
        self._ending = True
        self._wake()

    async def close(self) -> None:
        """Look no more."""
        self.end()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_on(self) -> None:
        while self._listeners and not self._ending:
            before = self.version
            self._tell(await self._look())
            await asyncio.sleep(self._look_seconds if self.version == before else self._notice_seconds)
        self._notice = None

    async def _look(self) -> Notice:
        try:
            marks = await self._database.select(Mark, query("select_change_mark"), {})
        except Exception as error:  # noqa: BLE001  # pages that hear no more would seem up to date
            if self._notice is None or self._notice.state != "away":
                told = None if isinstance(error, UNREADABLE) else error
                _LOG.warning("ledger_unavailable", error=type(error).__name__, exc_info=told)
            return Notice(self.version, "away", None)
        mark = marks[0]
        self.version = mark.written
        pipeline = judge_pipeline(Watermark(mark.as_of, mark.read_at))
        return Notice(self.version, pipeline.state, pipeline.as_of)

    def _tell(self, notice: Notice) -> None:
        if notice != self._notice:
            self._notice = notice
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
