"""The routes about runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from runledger.analytics.http.answers import (
    READING,
    EventsAnswer,
    LogAnswer,
    RunAnswer,
    RunsAnswer,
    TracesAnswer,
)
from runledger.analytics.http.gate import Project, Tables, missing
from runledger.analytics.http.questions import PageQuestion, Question, RunsQuestion
from runledger.analytics.reader import LedgerReader
from runledger.analytics.run_list import RunFilter, RunList
from runledger.analytics.run_story import RunStory

router = APIRouter(prefix="/api/v1", responses=READING, tags=["runs"])
_OF_A_PAGE = {"limit", "cursor", "sort"}


@router.get("/runs", operation_id="list_runs")
async def list_runs(project_key: Project, tables: Tables, asked: Annotated[RunsQuestion, Query()]) -> RunsAnswer:
    """List runs, those heard of last first unless another order is asked for."""
    wanted = RunFilter(**asked.model_dump(exclude=_OF_A_PAGE))
    page = await RunList(tables).page(project_key, wanted, asked.sort, asked.limit, asked.cursor)
    return RunsAnswer.model_validate({"runs": page.rows, "next_cursor": page.next_cursor})


@router.get("/runs/{run_id}", operation_id="get_run")
async def get_run(project_key: Project, tables: Tables, run_id: UUID, asked: Annotated[Question, Query()]) -> RunAnswer:
    """Give one run, its row in the run log, its score and the newest of its failures."""
    del asked
    found = await LedgerReader(tables).get_run(project_key, run_id)
    if found is None:
        raise missing("run")
    log = None if found.log is None else LogAnswer.model_validate(found.log)
    return RunAnswer.model_validate({**asdict(found.run), "failures": found.failures, "log": log})


@router.get("/runs/{run_id}/events", operation_id="list_run_events")
async def list_events(
    project_key: Project, tables: Tables, run_id: UUID, asked: Annotated[PageQuestion, Query()]
) -> EventsAnswer:
    """List the deliveries of a run's events, repeats included, in the order of the log."""
    page = await RunStory(tables).events(project_key, run_id, asked.limit, asked.cursor)
    if page is None:
        raise missing("run")
    return EventsAnswer.model_validate({"events": page.rows, "next_cursor": page.next_cursor})


@router.get("/runs/{run_id}/traces", operation_id="list_run_traces")
async def list_traces(
    project_key: Project, tables: Tables, run_id: UUID, asked: Annotated[PageQuestion, Query()]
) -> TracesAnswer:
    """List a run's trace entries, each once, in the order of the agents' own times."""
    page = await RunStory(tables).traces(project_key, run_id, asked.limit, asked.cursor)
    if page is None:
        raise missing("run")
    return TracesAnswer.model_validate({"traces": page.rows, "next_cursor": page.next_cursor})
