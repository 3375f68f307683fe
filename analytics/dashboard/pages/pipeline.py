"""The pipeline itself: how far it has come, what waits where, who is unwell, and what was refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from runledger.access.http.errors import HttpError, invalid
from runledger.analytics.dashboard.backstage import BackstageError, BrokerLook, LetterSeen, LettersLook, WorkerLook
from runledger.analytics.dashboard.charts import draw_sparkline
from runledger.analytics.dashboard.control_room import ControlRoom, TheRoom
from runledger.analytics.dashboard.course import Course
from runledger.analytics.dashboard.desk import Admin, Model, TheDesk, Viewer
from runledger.analytics.dashboard.glimpses import Glimpse
from runledger.analytics.dashboard.login import read_form
from runledger.analytics.dashboard.pages.pipeline_advice import (
    PATIENCE_SECONDS,
    Advice,
    Sight,
    advise,
    waiting_letters,
)
from runledger.analytics.dashboard.pages.pipeline_lag import ReaderLag, measure_lags
from runledger.analytics.dashboard.rendering import Place, link
from runledger.analytics.progress import Outbox, Progress, ask_progress
from runledger.schemas.topics import ALL_TOPICS, RUN_EVENTS, Topic

PLACE = Place("Pipeline", "/pipeline")
MOST_LETTERS = 100
_CURVE_PLACES = 60
_CURVE_SECONDS = 15.0
router = APIRouter()


class PipelineQuestion(BaseModel):
    """What was just done, to say so: a letter was replayed, or nothing waited there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    replayed: Annotated[str, Field(max_length=300)] | None = None
    idle: Annotated[str, Field(max_length=300)] | None = None


@dataclass(frozen=True, slots=True)
class TopicLine:
    """One topic.

    Args:
        topic: its facts.
        records: that its log holds, markers of transactions included; None where the broker does not tell.
        rate: records a second it takes; None where that is not known yet.
        curve: the same in the last quarter of an hour, drawn.
    """

    topic: Topic
    records: int | None
    rate: float | None
    curve: Markup


@dataclass(frozen=True, slots=True)
class LettersPart:
    """Dead letters of the viewer's project.

    Args:
        shown: the latest first, those that wait before the others; none where the viewer may not see them.
        waiting: how many wait.
        more: how many more there are than are shown.
        of_others: letters that wait, of other projects or of none that can be told.
        is_whole: whether the whole topic was looked at.
        trouble: why they cannot be seen; empty where they can.
        is_waiting: the first look has not ended yet.
    """

    shown: list[LetterSeen]
    waiting: int
    more: int
    of_others: int
    is_whole: bool
    trouble: str
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class PipelinePage:
    """What the page shows."""

    progress: Progress
    advice: list[Advice]
    broker: Glimpse[BrokerLook]
    workers: Glimpse[tuple[WorkerLook, ...]]
    lags: list[ReaderLag]
    waiting: int | None
    """Records that wait for any reader; None where the broker does not tell."""
    arriving: float | None
    arriving_curve: Markup
    topics: list[TopicLine]
    letters: LettersPart
    asked: PipelineQuestion

    @property
    def outbox(self) -> Outbox:
        """Scoring jobs that are not sent."""
        return self.progress.outbox


@router.get(PLACE.path)
async def show_pipeline(
    request: Request, desk: TheDesk, room: TheRoom, viewer: Viewer, asked: Annotated[PipelineQuestion, Query()]
) -> Response:
    """Show how the pipeline does."""

    async def read() -> Model:
        progress = await ask_progress(desk.database, room.topic_prefix)
        is_admin = "admin" in viewer.scopes
        return {"page": await look(room, progress, viewer.project_key, is_admin=is_admin, asked=asked)}

    return await desk.page(request, viewer, "pipeline.html", read)


@router.post(PLACE.path + "/replay")
async def replay_letter(request: Request, room: TheRoom, admin: Admin) -> Response:
    """Send the record of a dead letter again, once for ever, as `runledger dlq replay` does."""
    form = await read_form(request)
    place = form.get("place", "")
    by = "dashboard" if admin.key_id is None else f"dashboard, key {admin.key_id.hex[:8]}"
    try:
        done = await asyncio.to_thread(room.backstage.replay, admin.project_key, place, by)
    except BackstageError as error:
        raise HttpError(502, "not_accepted", str(error)) from error
    room.letters.forget()
    if done.left:
        raise invalid("place", f"{place} cannot be sent again: {'; '.join(done.left.values())}")
    said = {"replayed": place} if done.done else {"idle": place}
    return RedirectResponse(link(PLACE.path, **said) + "#letters", 303)


async def look(
    room: ControlRoom, progress: Progress, project_key: str, *, is_admin: bool, asked: PipelineQuestion
) -> PipelinePage:
    """Look at everything and judge it.

    Args:
        room: with the eyes.
        progress: what the tables tell.
        project_key: whose dead letters are shown.
        is_admin: whether the viewer may see and replay them.
        asked: by the address.
    """
    broker, workers, letters = await room.look()
    if not is_admin and workers.seen is not None:
        workers = replace(workers, seen=tuple(_without_details(worker) for worker in workers.seen))
    seen = None if broker.trouble else broker.seen
    lags = measure_lags(seen, progress.positions, room.settled(progress.pipeline.lag_seconds))
    known = [lag.waiting for lag in lags]
    stuck = [lag for lag in lags if _is_stuck(lag, progress, room.course)]
    waiting = waiting_letters(letters, project_key)
    return PipelinePage(
        progress=progress,
        advice=advise(Sight(progress.pipeline, progress.outbox, broker, workers, waiting, lags, stuck)),
        broker=broker,
        workers=workers,
        lags=lags,
        waiting=None if seen is None or None in known else sum(one or 0 for one in known),
        arriving=None if seen is None else room.course.rate(RUN_EVENTS.suffix),
        arriving_curve=_draw_curve(room.course, RUN_EVENTS, width=240, height=40),
        topics=[_topic_line(topic, seen, room.course) for topic in ALL_TOPICS],
        letters=_letters_part(letters, project_key, waiting, is_admin=is_admin),
        asked=asked,
    )


def _without_details(worker: WorkerLook) -> WorkerLook:
    """Leave out what a worker says of its servers."""
    return worker if worker.problem is None else WorkerLook(worker.name, "it says that something is wrong")


def _is_stuck(lag: ReaderLag, progress: Progress, course: Course) -> bool:
    if lag.worker == "sink":
        if lag.written_at is None or not lag.waiting:
            return False
        return (progress.pipeline.read_at - lag.written_at).total_seconds() > PATIENCE_SECONDS
    return any(course.stood(lag.worker, (lag.topic, one.number), PATIENCE_SECONDS) for one in lag.worst)


def _topic_line(topic: Topic, seen: BrokerLook | None, course: Course) -> TopicLine:
    records = None
    if seen is not None:
        sources = [source for source in seen.ends if source[0] == topic.suffix]
        records = sum(seen.ends[source] - seen.begins.get(source, 0) for source in sources) if sources else None
    return TopicLine(topic, records, course.rate(topic.suffix) if seen else None, _draw_curve(course, topic))


def _draw_curve(course: Course, topic: Topic, width: int = 112, height: int = 24) -> Markup:
    values = course.curve(topic.suffix, _CURVE_PLACES, _CURVE_SECONDS)
    known = [value for value in values if value is not None]
    if not known:
        return Markup("")
    label = f"{topic.suffix}, last 15 minutes: at most {max(known):,.1f} records a second, {known[-1]:,.1f} now"
    return draw_sparkline(values, label=label, width=width, height=height)


def _letters_part(letters: Glimpse[LettersLook], project_key: str, waiting: int, *, is_admin: bool) -> LettersPart:
    if letters.seen is None:
        return LettersPart([], 0, 0, 0, is_whole=True, trouble=letters.trouble, is_waiting=letters.is_waiting)
    own = [one for one in letters.seen.letters if one.project_key == project_key]
    own.sort(key=lambda one: one.state != "waiting")  # the latest first, as they were, among each
    all_waiting = sum(one.state == "waiting" for one in letters.seen.letters)
    return LettersPart(
        shown=own[:MOST_LETTERS] if is_admin else [],
        waiting=waiting,
        more=max(0, len(own) - MOST_LETTERS) if is_admin else 0,
        of_others=all_waiting - waiting,
        is_whole=letters.seen.is_whole,
        trouble=letters.trouble,
        is_waiting=False,
    )
