"""Kinds of failures: the list, with its state and its last two weeks at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from runledger.analytics.dashboard.charts import draw_sparkline
from runledger.analytics.dashboard.desk import Model, TheDesk, Viewer
from runledger.analytics.dashboard.pages import failure
from runledger.analytics.dashboard.pages.failure_days import NO_DAYS, LastDays, say_days
from runledger.analytics.dashboard.pages.run_question import SPANS, Moment, Within
from runledger.analytics.dashboard.rendering import Place, link
from runledger.analytics.database import Database
from runledger.analytics.failure_story import FailureCounts, FailureDays, FailureStories
from runledger.analytics.http.values import CursorText
from runledger.analytics.reader import LedgerReader
from runledger.analytics.readings import FailureGroupReading, FailureState

PLACE = Place("Failures", "/failures")
ON_A_PAGE = 25
SHOWN_DAYS = 14
_STATES: tuple[FailureState, ...] = ("regressed", "open", "resolved")
"""What came back first: it was thought to be done."""
router = APIRouter()
router.include_router(failure.router)


class FailuresQuestion(BaseModel):
    """Filters and place. What a form sends empty is not asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: FailureState | None = None
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]+$")] | None = None
    within: Within | None = None
    since: Moment | None = None
    cursor: CursorText | None = Field(default=None, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _leave_empty_out(cls, given: Any) -> Any:  # noqa: ANN401  # anything may be given
        if isinstance(given, Mapping):
            return {name: value for name, value in given.items() if value is not None and str(value).strip()}
        return given

    def address(self) -> dict[str, str]:
        """Write the question as parameters of an address, without its place."""
        said: dict[str, str] = self.model_dump(exclude={"cursor"}, exclude_none=True, mode="json")
        return said

    def seen_since(self, now: datetime) -> datetime | None:
        """Say since when a kind must have been seen."""
        return self.since if self.within is None else now - SPANS[self.within][1]


@dataclass(frozen=True, slots=True)
class FailureLine:
    """One kind.

    Args:
        group: as it was read.
        address: of its own page.
        lately: its last two weeks, drawn.
    """

    group: FailureGroupReading
    address: str
    lately: Markup


@dataclass(frozen=True, slots=True)
class Tab:
    """Kinds in one state, or in any."""

    state: FailureState | None
    address: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class FailuresPage:
    """What the page shows.

    Args:
        asked: by the address.
        tabs: states to choose from.
        lines: kinds, the latest first.
        next_address: the next page; None on the last.
        first_address: the first page; None on it.
        is_empty: the project has no failure at all.
    """

    asked: FailuresQuestion
    tabs: list[Tab]
    lines: list[FailureLine]
    next_address: str | None
    first_address: str | None
    is_empty: bool


@router.get(PLACE.path)
async def show_failures(
    request: Request, desk: TheDesk, viewer: Viewer, asked: Annotated[FailuresQuestion, Query()]
) -> Response:
    """Show a page of the list."""
    if "" in request.query_params.values():
        # A form sends its empty fields, too: the address shall say what is asked, and nothing else.
        return RedirectResponse(link(PLACE.path, **asked.address(), cursor=asked.cursor), 303)

    async def read() -> Model:
        return {"page": await read_page(desk.database, viewer.project_key, asked, desk.time_zone), "spans": SPANS}

    return await desk.page(request, viewer, "failures.html", read)


async def read_page(database: Database, project_key: str, asked: FailuresQuestion, time_zone: str) -> FailuresPage:
    """Read what the page shows.

    Raises:
        CursorError: the address is of another list.
        ReadUnavailableError: the database does not answer in time.
    """
    now = datetime.now(UTC)
    since = asked.seen_since(now)
    stories = FailureStories(database)
    found = await LedgerReader(database).failure_page(
        project_key, since=since, limit=ON_A_PAGE, cursor=asked.cursor, state=asked.state, text=asked.text
    )
    last_days = LastDays(now, time_zone, SHOWN_DAYS)
    days = await stories.days(project_key, [group.fingerprint for group in found.rows], last_days.since, time_zone)
    counts = await stories.counts(project_key)
    address = asked.address()
    return FailuresPage(
        asked=asked,
        tabs=_tabs(asked, counts),
        lines=[_line(group, days.get(group.fingerprint, NO_DAYS), last_days) for group in found.rows],
        next_address=None if found.next_cursor is None else _next(address, found.next_cursor, since),
        first_address=None if asked.cursor is None else link(PLACE.path, **address),
        is_empty=not (counts.open or counts.regressed or counts.resolved),
    )


def _tabs(asked: FailuresQuestion, counts: FailureCounts) -> list[Tab]:
    numbers = {state: getattr(counts, state) for state in _STATES}
    states: tuple[FailureState | None, ...] = (None, *_STATES)
    return [
        Tab(
            state,
            link(PLACE.path, **{**asked.address(), "state": state}),
            sum(numbers.values()) if state is None else numbers[state],
            asked.state == state,
        )
        for state in states
    ]


def _line(group: FailureGroupReading, days: FailureDays, last_days: LastDays) -> FailureLine:
    counts = last_days.counts(days)
    return FailureLine(
        group,
        link(PLACE.path, group.fingerprint),
        draw_sparkline(counts, label=say_days(counts), width=112),
    )


def _next(address: dict[str, str], cursor: str, since: datetime | None) -> str:
    if "within" in address and since is not None:
        # A cursor belongs to one list; "the last hour" is another one every moment.
        address = {name: value for name, value in address.items() if name != "within"}
        address["since"] = since.astimezone(UTC).isoformat().removesuffix("+00:00")
    return link(PLACE.path, **address, cursor=cursor)
