"""The list of runs: live, filtered and sorted by what stands in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from runledger.analytics.agent_names import agent_names
from runledger.analytics.dashboard.desk import Model, TheDesk, Viewer
from runledger.analytics.dashboard.pages import run
from runledger.analytics.dashboard.pages.run_line import RunLine, line_of
from runledger.analytics.dashboard.pages.run_question import SPANS, RunsQuestion
from runledger.analytics.dashboard.rendering import Place, link
from runledger.analytics.dashboard.words import plain
from runledger.analytics.database import Database
from runledger.analytics.paging import Page
from runledger.analytics.run_list import ListedRun, RunList

PLACE = Place("Runs", "/runs")
MOST_AGENTS = 500
SORTS = {
    "-heard_at": "newest first",
    "heard_at": "oldest first",
    "-ended_at": "latest end first",
    "ended_at": "earliest end first",
    "-cost_usd": "dearest first",
    "cost_usd": "cheapest first",
    "-total_tokens": "most tokens first",
    "total_tokens": "fewest tokens first",
}
_COLUMNS = (("heard_at", "Last heard"), ("total_tokens", "Tokens"), ("cost_usd", "Cost"))
_SAID = {
    "run": "id begins with",
    "agent": "agent",
    "status": "status",
    "outcome": "outcome",
    "kind": "kind",
    "task": "task",
    "parent": "started by",
    "silent": "silent",
    "within": "heard within",
    "since": "heard since",
    "until": "heard before",
}
"""Filters, as people read them, in the order of the form."""
_FOLDED = ("outcome", "silent", "kind", "task", "parent", "since", "until")
_MOST_SAID = 60
Order: TypeAlias = Literal["ascending", "descending"]
router = APIRouter()
router.include_router(run.router)


@dataclass(frozen=True, slots=True)
class Heading:
    """A column by which the list can be sorted."""

    title: str
    address: str
    order: Order | None
    """How the list is sorted by it now; None if by another."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter in force."""

    name: str
    value: str
    without: str
    """Address of the list without it."""


@dataclass(frozen=True, slots=True)
class RunsPage:
    """What the page shows.

    Args:
        lines: the runs.
        asked: values of the form's fields, by name; those not asked are missing.
        filters: those in force.
        headings: by column.
        agents: to choose from.
        next_address: the next page; None on the last.
        first_address: the first page; None on it.
    """

    lines: list[RunLine]
    asked: dict[str, str]
    filters: list[Filter]
    headings: dict[str, Heading]
    agents: list[str]
    next_address: str | None
    first_address: str | None

    @property
    def more_asked(self) -> bool:
        """One of the fields that are folded away is in use."""
        return any(name in self.asked for name in _FOLDED)


@router.get(PLACE.path)
async def show_runs(
    request: Request, desk: TheDesk, viewer: Viewer, asked: Annotated[RunsQuestion, Query()]
) -> Response:
    """Show a page of the list; whoever asks for a run by its whole id is led to its own page."""
    if asked.run_id is not None:
        return RedirectResponse(link(PLACE.path, asked.run_id), 303)
    if "" in request.query_params.values():
        # A form sends its empty fields, too: the address shall say what is asked, and nothing else.
        return RedirectResponse(link(PLACE.path, **asked.address(), cursor=asked.cursor), 303)

    async def read() -> Model:
        spans = [(span, words) for span, (words, _) in SPANS.items()]
        page = await read_page(desk.database, viewer.project_key, asked)
        return {"page": page, "spans_in_words": spans, "sorts": SORTS}

    return await desk.page(request, viewer, "runs.html", read)


async def read_page(database: Database, project_key: str, asked: RunsQuestion) -> RunsPage:
    """Read what the page shows.

    Raises:
        CursorError: the address is of another list.
        ReadUnavailableError: the database does not answer in time.
    """
    now = datetime.now(UTC)
    wanted = asked.wanted(now)
    found = await RunList(database).page(project_key, wanted, asked.sort, cursor=asked.cursor)
    agents = await agent_names(database, project_key, MOST_AGENTS)
    return make_page(asked, found, agents, wanted.since, now)


def make_page(
    asked: RunsQuestion, found: Page[ListedRun], agents: list[str], since: datetime | None, now: datetime
) -> RunsPage:
    """Put a page of the list together.

    Args:
        asked: by the address.
        found: the runs.
        agents: of the project.
        since: as the list was asked; `within` has become a moment there.
        now: what durations so far end at.
    """
    address = asked.address()
    return RunsPage(
        lines=[line_of(listed, now) for listed in found.rows],
        asked=_form_values(asked, address),
        filters=[_filter(name, address) for name in _SAID if name in address],
        headings={column: _heading(column, title, asked, address) for column, title in _COLUMNS},
        agents=[agent for agent in agents if agent == plain(agent)],
        next_address=None if found.next_cursor is None else _next(address, found.next_cursor, since),
        first_address=None if asked.cursor is None else link(PLACE.path, **address),
    )


def _form_values(asked: RunsQuestion, address: dict[str, str]) -> dict[str, str]:
    values = dict(address)
    for name, moment in (("since", asked.since), ("until", asked.until)):
        if moment is not None:
            values[name] = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"  # all that such a field can hold
    return values


def _filter(name: str, address: dict[str, str]) -> Filter:
    value = address[name]
    if name == "within":
        value = SPANS[value][0].removeprefix("last ")
    elif name in ("since", "until"):
        value = f"{value.replace('T', ' ')} UTC"
    without = link(PLACE.path, **{other: said for other, said in address.items() if other != name})
    return Filter(_SAID[name], plain(value, _MOST_SAID), without)


def _heading(column: str, title: str, asked: RunsQuestion, address: dict[str, str]) -> Heading:
    order: Order | None = None
    if asked.sort.removeprefix("-") == column:
        order = "descending" if asked.sort.startswith("-") else "ascending"
    # The largest and the newest first, and the other way round if it is so already.
    sort = column if order == "descending" else f"-{column}"
    return Heading(title, link(PLACE.path, **{**address, "sort": sort}), order)


def _next(address: dict[str, str], cursor: str, since: datetime | None) -> str:
    if "within" in address and since is not None:
        # A cursor belongs to one list; "the last hour" is another one every moment.
        address = {name: value for name, value in address.items() if name != "within"}
        address["since"] = since.astimezone(UTC).isoformat().removesuffix("+00:00")
    return link(PLACE.path, **address, cursor=cursor)
