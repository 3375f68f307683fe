"""List a project's runs, page by page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, get_args
from uuid import UUID

from pydantic import Field, TypeAdapter

from runledger.analytics.database import Database, query
from runledger.analytics.paging import Page, read_cursor, write_cursor
from runledger.schemas.values import Timestamp

RunSort: TypeAlias = Literal[
    "-heard_at", "heard_at", "-ended_at", "ended_at", "-cost_usd", "cost_usd", "-total_tokens", "total_tokens"
]
"""A minus: the largest, or newest, first. What is unknown comes last, either way."""
_Cost: TypeAlias = Annotated[Decimal, Field(ge=0, max_digits=20, decimal_places=10)]
_Tokens: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
_PLACES: dict[str, TypeAdapter[Any]] = {
    "heard_at": TypeAdapter(tuple[Timestamp, UUID]),
    "ended_at": TypeAdapter(tuple[Timestamp | None, UUID]),
    "cost_usd": TypeAdapter(tuple[_Cost | None, UUID]),
    "total_tokens": TypeAdapter(tuple[_Tokens | None, UUID]),
}
_TYPES = {"heard_at": "timestamptz", "ended_at": "timestamptz", "cost_usd": "numeric", "total_tokens": "bigint"}


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs; None for any."""

    agent_id: str | None = None
    status: str | None = None
    outcome: str | None = None
    kind: str | None = None
    task_id: str | None = None
    parent_run_id: UUID | None = None
    since: datetime | None = None
    """Heard of then or later: log time of the last event that the agent sent."""
    until: datetime | None = None
    """Heard of before."""
    silent: bool | None = None
    """Finished runs that show no meaningful output, or some."""
    first_run_id: UUID | None = None
    """Runs of this id or a later one, as ids sort."""
    last_run_id: UUID | None = None
    """Runs of this id or an earlier one."""


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One run of a list; None is unknown."""

    run_id: UUID
    kind: str
    status: str
    outcome: str | None
    agent_id: str | None
    parent_run_id: UUID | None
    task_id: str | None
    summary: str | None
    end_summary: str | None
    started_at: datetime | None
    ended_at: datetime | None
    heard_at: datetime
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    llm_calls: int | None
    cost_usd: Decimal | None
    cost_source: str
    models: list[str]
    failure_count: int
    trace_count: int
    timed_out: bool
    late_events: bool
    logged_at: datetime | None
    action_summary: str | None
    """What it says it did, as its row in the run log has it."""
    silent: bool | None
    consecutive_silence_count: int | None
    consecutive_failure_count: int | None
    score: float | None


class RunList:
    """Reads lists of runs.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        project_key: str,
        wanted: RunFilter,
        sort: RunSort = "-heard_at",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[ListedRun]:
        """Read one page.

        Args:
            project_key: whose.
            wanted: which of them.
            sort: in which order.
            limit: at most so many.
            cursor: of the page before; None for the first.

        Raises:
            CursorError: the cursor is none, or of another list.
            ReadUnavailableError: the database does not answer in time.
        """
        question = {"list": "runs", "project_key": project_key, "sort": sort, **asdict(wanted)}
        column = sort.removeprefix("-")
        place, run_id = (None, None) if cursor is None else read_cursor(cursor, question, _PLACES[column])
        beyond: Beyond = "start" if cursor is None else "unknown" if place is None else "known"
        asked = {**question, "limit": limit + 1, "place": place, "place_run_id": run_id}
        rows = await self._database.select(ListedRun, page_query(sort, beyond), asked)
        if len(rows) <= limit:
            return Page(rows, None)
        last = rows[limit - 1]
        return Page(rows[:limit], write_cursor(question, [getattr(last, column), last.run_id]))


Beyond: TypeAlias = Literal["start", "known", "unknown"]
"""Where a page begins: at the start, after a row whose sort key is known, or after one of unknown key."""


@cache
def page_query(sort: RunSort, beyond: Beyond) -> bytes:
    """Compose the statement that reads a page: filters from the file, order and place from here.

    Args:
        sort: the order.
        beyond: where the page begins.

    Raises:
        ValueError: there is no such sort.
    """
    if sort not in get_args(RunSort):
        raise ValueError(f"no sort: {sort!r}")  # it would become a part of the statement
    column = sort.removeprefix("-")
    down = sort.startswith("-")
    compared, direction = ("<", "DESC") if down else (">", "ASC")
    place = f"%(place)s::{_TYPES[column]}"
    if column == "heard_at":
        # Never NULL; and said so that the index (heard_at DESC, run_id DESC) gives the order, backwards too.
        order = f"r.heard_at {direction}, r.run_id {direction}"
        after = f"(r.heard_at, r.run_id) {compared} ({place}, %(place_run_id)s::uuid)"
    else:
        order = f"r.{column} {direction} NULLS LAST, r.run_id {direction}"
        same = f"r.run_id {compared} %(place_run_id)s::uuid"
        after = f"(r.{column} {compared} {place} OR (r.{column} = {place} AND {same}) OR r.{column} IS NULL)"
        if beyond == "unknown":
            after = f"(r.{column} IS NULL AND {same})"
    statement = query("select_run_page").decode()
    statement = statement.replace("{beyond}", "true" if beyond == "start" else after).replace("{order}", order)
    return statement.encode()
