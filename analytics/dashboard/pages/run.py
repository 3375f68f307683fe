"""A run's own page: its figures and where they come from, its steps, failures, score and every event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from runledger.analytics.dashboard.charts.waterfall_layout import lay_out
from runledger.analytics.dashboard.desk import Model, TheDesk, Viewer
from runledger.analytics.dashboard.pages.run_events import MOST_EVENT_BYTES, tell_events
from runledger.analytics.dashboard.pages.run_line import RunLine, first_said, length_of, line_of
from runledger.analytics.dashboard.pages.run_usage import COST_SOURCES, explain_usage
from runledger.analytics.dashboard.pages.run_view import (
    KINDS,
    RunView,
    TimelineView,
    failures_of,
    notices_of,
    score_of,
)
from runledger.analytics.dashboard.pages.run_waterfall import WaterfallView, part_of, show_waterfall
from runledger.analytics.dashboard.spans import spans_of
from runledger.analytics.dashboard.words import pretty_json
from runledger.analytics.database import Database
from runledger.analytics.http.gate import missing
from runledger.analytics.http.values import CursorText
from runledger.analytics.readings import RunReading
from runledger.analytics.run_account import RunAccounts
from runledger.analytics.run_list import RunFilter, RunList
from runledger.analytics.run_steps import MOST_STEPS, RunSteps
from runledger.analytics.run_story import RunStory

EVENTS = 50
"""Events on one page."""
CHILDREN = 20
_ACTIONS_CHARACTERS = 128 * 1024
router = APIRouter()


class RunQuestion(BaseModel):
    """Which part of a long run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Literal["oldest", "newest"] | None = None
    """Which events stand first; the newest of a run that goes on, the oldest of one that has ended, if left out."""
    cursor: CursorText | None = None
    steps: Annotated[int, Field(ge=0, lt=MOST_STEPS)] = 0
    """Where the shown part of the waterfall begins."""


@router.get("/runs/{run_id}")
async def show_run(
    request: Request, desk: TheDesk, viewer: Viewer, run_id: str, asked: Annotated[RunQuestion, Query()]
) -> Response:
    """Show one run."""
    try:
        wanted = UUID(run_id)
    except ValueError as error:
        raise missing("run") from error

    async def read() -> Model:
        view = await read_view(desk.database, viewer.project_key, wanted, asked)
        return {"page": view, "cost_sources": COST_SOURCES}

    return await desk.page(request, viewer, "run.html", read)


async def read_view(database: Database, project_key: str, run_id: UUID, asked: RunQuestion) -> RunView:
    """Read what the page shows.

    Raises:
        HttpError: 404, the project has no such run.
        CursorError: the address is of another list.
        ReadUnavailableError: the database does not answer in time.
    """
    account = await RunAccounts(database).read(project_key, run_id)
    if account is None:
        raise missing("run")
    run, now = account.found.run, datetime.now(UTC)
    log = account.found.log
    said = first_said(run.end_summary, log.action_summary if log is not None else None)
    return RunView(
        run=run,
        log=log,
        title=first_said(run.summary, said),
        said=said,
        took=length_of(run.started_at, run.ended_at, now),
        kind=KINDS.get(run.kind, run.kind),
        notices=notices_of(account),
        actions=None if run.actions_taken is None else pretty_json(run.actions_taken, _ACTIONS_CHARACTERS),
        parent_known=account.usage.parent_known,
        children=await _read_children(database, project_key, run_id, now) if account.usage.child_count else [],
        child_count=account.usage.child_count,
        usage=explain_usage(run, account.usage, account.models),
        failures=failures_of(account.found.failures, account.failure_kinds),
        score=score_of(run, log),
        waterfall=await _read_waterfall(database, project_key, run, asked.steps, now),
        timeline=await _read_timeline(database, project_key, run, asked, account.usage.event_count),
    )


async def _read_children(database: Database, project_key: str, run_id: UUID, now: datetime) -> list[RunLine]:
    page = await RunList(database).page(project_key, RunFilter(parent_run_id=run_id), limit=CHILDREN)
    return [line_of(run, now) for run in page.rows]


async def _read_waterfall(
    database: Database, project_key: str, run: RunReading, begin: int, now: datetime
) -> WaterfallView | None:
    if not run.trace_count and not run.late_events:
        return None
    reader = RunSteps(database)
    steps = await reader.steps(project_key, run.run_id)
    waterfall = lay_out(spans_of(steps), run.started_at, run.ended_at or now)
    if waterfall is None:
        return None
    shown = [steps[row.span.place] for row in part_of(waterfall, begin)]
    entries = await reader.entries(project_key, run.run_id, shown)
    return show_waterfall(waterfall, begin, steps, entries, run.trace_count)


async def _read_timeline(
    database: Database, project_key: str, run: RunReading, asked: RunQuestion, counted: int
) -> TimelineView:
    newest_first = asked.order == "newest" if asked.order is not None else run.status == "running"
    page = await RunStory(database).events(
        project_key, run.run_id, EVENTS, asked.cursor, newest_first=newest_first, most_bytes=MOST_EVENT_BYTES
    )
    if page is None:
        raise missing("run")
    events = tell_events(page.rows, run.started_at)
    return TimelineView(events, newest_first, asked.cursor is None, page.next_cursor, counted)
