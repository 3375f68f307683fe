"""The routes about costs, failures and incidents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from runledger.analytics.http.answers import READING
from runledger.analytics.http.gate import Project, Tables, missing
from runledger.analytics.http.ledger_answers import (
    CostsAnswer,
    FailureGroupAnswer,
    FailuresAnswer,
    IncidentsAnswer,
)
from runledger.analytics.http.questions import CostsQuestion, FailuresQuestion, IncidentsQuestion, Question
from runledger.analytics.http.values import Fingerprint
from runledger.analytics.incident_list import IncidentFilter, IncidentList
from runledger.analytics.reader import LedgerReader

COSTS_OVER = timedelta(days=30)
router = APIRouter(prefix="/api/v1", responses=READING)


@router.get("/costs", operation_id="add_up_costs", tags=["costs"])
async def add_up_costs(project_key: Project, tables: Tables, asked: Annotated[CostsQuestion, Query()]) -> CostsAnswer:
    """Add up what runs used and cost. A run counts at the time it ended, or was last heard of."""
    since = datetime.now(UTC) - COSTS_OVER if asked.since is None else asked.since
    costs = await LedgerReader(tables).run_costs(
        project_key, since, asked.group_by, asked.limit, until=asked.until, time_zone=asked.time_zone
    )
    span = {"since": since, "until": asked.until, "time_zone": asked.time_zone}
    groups = {"total": costs.total, "groups": costs.groups, "more_groups": costs.more_groups}
    return CostsAnswer.model_validate({**span, **groups})


@router.get("/failures", operation_id="list_failures", tags=["failures"])
async def list_failures(
    project_key: Project, tables: Tables, asked: Annotated[FailuresQuestion, Query()]
) -> FailuresAnswer:
    """List kinds of failures, the latest first, and what resolved them."""
    page = await LedgerReader(tables).failure_page(project_key, **asked.model_dump())
    return FailuresAnswer.model_validate({"failures": page.rows, "next_cursor": page.next_cursor})


@router.get("/failures/{fingerprint}", operation_id="get_failure", tags=["failures"])
async def get_failure(
    project_key: Project,
    tables: Tables,
    fingerprint: Annotated[Fingerprint, Path(description="Kind of failure.")],
    asked: Annotated[Question, Query()],
) -> FailureGroupAnswer:
    """Give one kind of failure."""
    del asked
    groups = await LedgerReader(tables).recent_failures(project_key, fingerprint, 1)
    if not groups:
        raise missing("kind of failure")
    return FailureGroupAnswer.model_validate(groups[0])


@router.get("/incidents", operation_id="list_incidents", tags=["incidents"])
async def list_incidents(
    project_key: Project, tables: Tables, asked: Annotated[IncidentsQuestion, Query()]
) -> IncidentsAnswer:
    """List streaks that reached their threshold, the newest first."""
    wanted = IncidentFilter(**asked.model_dump(exclude={"limit", "cursor"}))
    page = await IncidentList(tables).page(project_key, wanted, asked.limit, asked.cursor)
    return IncidentsAnswer.model_validate({"incidents": page.rows, "next_cursor": page.next_cursor})
