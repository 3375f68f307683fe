"""A kind of failure: how often it happened, where, what resolved it, and the word that it is resolved."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid5

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from runledger.access.http.errors import HttpError
from runledger.access.keys import Principal
from runledger.analytics.dashboard.backstage import BackstageError, Word
from runledger.analytics.dashboard.charts import Bar, BarChart, Series, draw_bars
from runledger.analytics.dashboard.control_room import TheRoom
from runledger.analytics.dashboard.desk import Admin, Model, TheDesk, Viewer
from runledger.analytics.dashboard.login import read_form
from runledger.analytics.dashboard.pages.failure_days import NO_DAYS, TOO_MANY_TODAY, LastDays
from runledger.analytics.dashboard.rendering import link
from runledger.analytics.database import Database
from runledger.analytics.failure_story import FailureDays, FailureStories, Occurrence, Resolution
from runledger.analytics.http.gate import missing
from runledger.analytics.http.values import CursorText
from runledger.analytics.paging import Page
from runledger.analytics.reader import LedgerReader
from runledger.analytics.readings import FailureGroupReading
from runledger.schemas.identifiers import NAMESPACE

SHOWN_DAYS = 30
_WHOLE, _DIGITS = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{1,64}")
_MOST_AMBIGUOUS = 2
_PATH = "/failures"
router = APIRouter()


class FailureQuestion(BaseModel):
    """Which part of the history; and the word that was just said, to look out for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: CursorText | None = Field(default=None, repr=False)
    said: Annotated[str, StringConstraints(max_length=128, pattern=r"^[\x21-\x7e]+$")] | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to this kind: a failure, or a resolution; the other one is None."""

    at: datetime
    failure: Occurrence | None = None
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True)
class FailurePage:
    """What the page shows.

    Args:
        group: the kind.
        chart: its last 30 days.
        history: the latest first.
        next_address: what was before; None where nothing was.
        first_address: the latest; None where they are shown.
        is_awaited: a word was just said, and has not reached the tables yet.
        seen: how the kind stood when it was shown: a word said twice from there counts once.
    """

    group: FailureGroupReading
    chart: Markup
    history: list[Moment]
    next_address: str | None
    first_address: str | None
    is_awaited: bool
    seen: str


@router.get(_PATH + "/{fingerprint}")
async def show_failure(
    request: Request, desk: TheDesk, viewer: Viewer, fingerprint: str, asked: Annotated[FailureQuestion, Query()]
) -> Response:
    """Show one kind; a fingerprint may be shortened as far as only one begins so."""
    if not _WHOLE.fullmatch(fingerprint):
        return RedirectResponse(link(_PATH, await _find(desk.database, viewer.project_key, fingerprint)), 303)

    async def read() -> Model:
        return {"page": await read_page(desk.database, viewer.project_key, fingerprint, asked, desk.time_zone)}

    return await desk.page(request, viewer, "failure.html", read)


@router.post(_PATH + "/{fingerprint}/resolve")
async def resolve_failure(request: Request, desk: TheDesk, room: TheRoom, admin: Admin, fingerprint: str) -> Response:
    """Say that a kind is resolved: the word is an event in the log, as from `runledger failures resolve`."""
    form = await read_form(request)
    if not _WHOLE.fullmatch(fingerprint):
        raise missing("kind of failure")
    known = await LedgerReader(desk.database).recent_failures(admin.project_key, fingerprint, 1)
    if not known:
        raise missing("kind of failure")
    word = word_of(admin, fingerprint, form, request.cookies.get(desk.cookie, ""))
    try:
        await asyncio.to_thread(room.backstage.resolve, admin.project_key, word)
    except BackstageError as error:
        raise HttpError(502, "not_accepted", str(error)) from error
    return RedirectResponse(link(_PATH, fingerprint, said=word.event_id), 303)


def word_of(admin: Principal, fingerprint: str, form: dict[str, str], session: str) -> Word:
    """Make the event's content; the same form sent twice by the same browser is the same event."""
    # Forms end lines with a carriage return, too.
    note, by = form.get("note", "").replace("\r\n", "\n").strip() or None, form.get("by", "").strip()
    told = "\n".join((admin.project_key, fingerprint, form.get("seen", ""), session, note or "", by))
    who = by or ("dashboard" if admin.key_id is None else f"dashboard, key {admin.key_id.hex[:8]}")
    return Word(fingerprint, note, who, str(uuid5(NAMESPACE, told)))


async def _find(database: Database, project_key: str, prefix: str) -> str:
    digits = prefix.lower()
    if not _DIGITS.fullmatch(digits):
        raise missing("kind of failure")
    found = await LedgerReader(database).find_fingerprints(project_key, digits, _MOST_AMBIGUOUS)
    if len(found) != 1:
        raise missing("kind of failure" if not found else "single kind of failure that begins so")
    return found[0]


async def read_page(
    database: Database, project_key: str, fingerprint: str, asked: FailureQuestion, time_zone: str
) -> FailurePage:
    """Read what the page shows.

    Raises:
        HttpError: 404, the project has no such kind.
        CursorError: the address is of another list.
        ReadUnavailableError: the database does not answer in time.
    """
    groups = await LedgerReader(database).recent_failures(project_key, fingerprint, 1)
    if not groups:
        raise missing("kind of failure")
    last_days = LastDays(datetime.now(UTC), time_zone, SHOWN_DAYS)
    stories = FailureStories(database)
    days = await stories.days(project_key, [fingerprint], last_days.since, time_zone)
    page = await stories.occurrences(project_key, fingerprint, cursor=asked.cursor)
    resolutions = await stories.resolutions(project_key, fingerprint)
    until = None if asked.cursor is None else stories.time_of(project_key, fingerprint, asked.cursor)
    here = link(_PATH, fingerprint)
    known = {one.event_id for one in resolutions}
    group = groups[0]
    return FailurePage(
        group=group,
        chart=draw_bars(_chart(last_days, days.get(fingerprint, NO_DAYS))),
        history=make_history(page, resolutions, until),
        next_address=None if page.next_cursor is None else link(_PATH, fingerprint, cursor=page.next_cursor),
        first_address=None if asked.cursor is None else here,
        is_awaited=asked.said is not None and asked.said not in known,
        seen=f"{group.last_seen_at.isoformat()} {group.resolved_at}",
    )


def make_history(page: Page[Occurrence], resolutions: Sequence[Resolution], until: datetime | None) -> list[Moment]:
    """Put resolutions between the failures of one page, the latest first.

    Args:
        page: the failures.
        resolutions: of all time.
        until: when the last failure of the page before happened; None on the first page.
    """
    since = page.rows[-1].occurred_at if page.next_cursor is not None else None
    moments = [Moment(one.occurred_at, failure=one) for one in page.rows]
    moments += [
        Moment(one.resolved_at, resolution=one)
        for one in resolutions
        if (since is None or one.resolved_at >= since) and (until is None or one.resolved_at < until)
    ]
    # Of the same moment the failure came first: a resolution holds for it.
    return sorted(moments, key=lambda moment: (moment.at, moment.resolution is not None), reverse=True)


def _chart(last_days: LastDays, days: FailureDays) -> BarChart:
    return BarChart(
        title=f"Failures by day, {SHOWN_DAYS} days",
        series=(Series("failures", "bad"),),
        bars=[
            Bar(f"{day:%a %Y-%m-%d}", f"{day:%b} {day.day}", (number,))
            for day, number in zip(last_days.days, last_days.counts(days), strict=True)
        ],
        say="{:,}".format,
        whole=True,
        empty=f"None in the last {SHOWN_DAYS} days.",
        unknown=TOO_MANY_TODAY,
    )
