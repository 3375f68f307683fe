"""One agent: how it does, what it costs, and what to do about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from runledger.analytics.agent_story import AgentStories
from runledger.analytics.dashboard.charts import draw_strip_legend
from runledger.analytics.dashboard.desk import Model, TheDesk, Viewer
from runledger.analytics.dashboard.pages.agent_question import SPANS, AgentQuestion
from runledger.analytics.dashboard.pages.agent_view import make_page
from runledger.analytics.http.gate import missing
from runledger.analytics.http.values import AgentName
from runledger.analytics.incident_list import IncidentFilter, IncidentList
from runledger.analytics.run_list import RunFilter, RunList

_INCIDENTS = 10
_RUNNING = 5
router = APIRouter()


# An agent's id may hold slashes.
@router.get("/agents/{agent_id:path}")
async def show_agent(
    request: Request,
    desk: TheDesk,
    viewer: Viewer,
    agent_id: Annotated[AgentName, Path()],
    question: Annotated[AgentQuestion, Query()],
) -> Response:
    """Show one agent."""
    project_key = viewer.project_key

    async def read() -> Model:
        story = await AgentStories(desk.database).tell(project_key, agent_id)
        if story is None:
            raise missing("agent")
        now = story.pipeline.read_at
        _, number, step = SPANS[question.within]
        costs = await desk.usage.of_agent(project_key, agent_id, number, step, now, desk.time_zone)
        incidents = await IncidentList(desk.database).page(
            project_key, IncidentFilter(agent_id=agent_id), _INCIDENTS, question.cursor
        )
        running = await RunList(desk.database).page(
            project_key, RunFilter(agent_id=agent_id, status="running"), limit=_RUNNING
        )
        page = make_page(story, costs, incidents, running.rows, question)
        return {"page": page, "legend": draw_strip_legend(), "spans": SPANS}

    return await desk.page(request, viewer, "agent.html", read)
