"""Read what happened in a run: its events as they were delivered, and the traces that they carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar
from uuid import UUID

from pydantic import Field, TypeAdapter

from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.paging import Page, read_cursor, write_cursor
from runledger.schemas.values import Timestamp

_Offset: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
_Number: TypeAlias = Annotated[int, Field(ge=0, lt=2**31)]
_EVENT_PLACE: TypeAdapter[tuple[int, int]] = TypeAdapter(tuple[_Offset, _Number])
_TRACE_PLACE: TypeAdapter[tuple[datetime, int, int, int]] = TypeAdapter(tuple[Timestamp, _Offset, _Number, _Number])
LARGE_BYTES = 32 * 1024
"""Data above that is left out, unless more is asked for."""
_RowT = TypeVar("_RowT")


@dataclass(frozen=True, slots=True)
class DeliveredEvent:
    """One delivery of an event; a repeat has the same event_id."""

    log_partition: int
    log_offset: int
    logged_at: datetime
    event_id: str
    type: str
    agent_id: str | None
    occurred_at: datetime
    source: str
    repeated: bool
    """It was delivered before, and counted then."""
    data: dict[str, Any] | None
    """None where it is large; `data_bytes` says how much it is."""
    data_bytes: int


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One trace entry of an event."""

    event_id: str
    agent_id: str | None
    occurred_at: datetime
    log_partition: int
    log_offset: int
    number: int
    """Its place in the event, from 1."""
    trace: dict[str, Any] | None
    """None above 32 KiB; `trace_bytes` says how much it is."""
    trace_bytes: int


class RunStory:
    """Reads the stories of runs; None where the project has no such run.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def events(
        self,
        project_key: str,
        run_id: UUID,
        limit: int = 50,
        cursor: str | None = None,
        *,
        newest_first: bool = False,
        most_bytes: int = LARGE_BYTES,
    ) -> Page[DeliveredEvent] | None:
        """Read a page of deliveries in the order of the log, or from its end.

        Args:
            project_key: whose.
            run_id: which run.
            limit: at most so many.
            cursor: of the page before; None for the first.
            newest_first: from the end of the log.
            most_bytes: data above that is left out.

        Raises:
            CursorError: the cursor is none, or of another list.
            ReadUnavailableError: the database does not answer in time.
        """
        question = {"list": "events", "project_key": project_key, "run_id": run_id, "newest_first": newest_first}
        place = (None, None) if cursor is None else read_cursor(cursor, question, _EVENT_PLACE)
        asked = {**question, "limit": limit + 1, "place_offset": place[0], "place_partition": place[1]}
        asked["most_bytes"] = most_bytes
        rows = await self._database.answer(
            lambda connection: _of_run(connection, DeliveredEvent, _events_query(newest_first), asked)
        )
        if rows is None or len(rows) <= limit:
            return None if rows is None else Page(rows, None)
        last = rows[limit - 1]
        return Page(rows[:limit], write_cursor(question, [last.log_offset, last.log_partition]))

    async def traces(
        self, project_key: str, run_id: UUID, limit: int = 50, cursor: str | None = None
    ) -> Page[TraceEntry] | None:
        """Read a page of trace entries in the order of the agents' own times.

        Raises:
            CursorError: the cursor is none, or of another list.
            ReadUnavailableError: the database does not answer in time.
        """
        question = {"list": "traces", "project_key": project_key, "run_id": run_id}
        place = (None,) * 4 if cursor is None else read_cursor(cursor, question, _TRACE_PLACE)
        names = ("place_at", "place_offset", "place_partition", "place_number")
        asked = {**question, "limit": limit + 1, **dict(zip(names, place, strict=True))}
        rows = await self._database.answer(
            lambda connection: _of_run(connection, TraceEntry, query("select_run_traces"), asked)
        )
        if rows is None or len(rows) <= limit:
            return None if rows is None else Page(rows, None)
        last = rows[limit - 1]
        ended_at = [last.occurred_at, last.log_offset, last.log_partition, last.number]
        return Page(rows[:limit], write_cursor(question, ended_at))


@dataclass(frozen=True, slots=True)
class _Exists:
    run_id: UUID


@cache
def _events_query(newest_first: bool) -> bytes:
    compared, direction = (b"<", b"DESC") if newest_first else (b">", b"ASC")
    return query("select_run_events").replace(b"{compared}", compared).replace(b"{direction}", direction)


async def _of_run(connection: Connection, row: type[_RowT], sql: bytes, asked: dict[str, Any]) -> list[_RowT] | None:
    if not await fetch(connection, _Exists, query("select_run_exists"), asked):
        return None
    return await fetch(connection, row, sql, asked)
