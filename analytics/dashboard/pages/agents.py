"""The agents of a project: who does well and who does not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from runledger.analytics.agent_usage import UsageWeek
from runledger.analytics.auditor import read_audit
from runledger.analytics.dashboard.charts import draw_strip_legend
from runledger.analytics.dashboard.desk import Model, TheDesk, Viewer
from runledger.analytics.dashboard.pages import agent
from runledger.analytics.dashboard.pages.agent_list_view import (
    AgentList,
    choose_agents,
    cut_page,
    find_agents,
    make_list,
)
from runledger.analytics.dashboard.pages.agent_question import AgentsQuestion
from runledger.analytics.dashboard.rendering import Place
from runledger.analytics.database import Connection
from runledger.analytics.strips import read_strips

PLACE = Place("Agents", "/agents")
router = APIRouter()


@router.get(PLACE.path)
async def show_agents(
    request: Request, desk: TheDesk, viewer: Viewer, question: Annotated[AgentsQuestion, Query()]
) -> Response:
    """List the agents, those that need somebody first."""

    async def read() -> Model:
        week = await desk.usage.week(viewer.project_key, desk.time_zone)

        async def ask(connection: Connection) -> AgentList:
            return await _read_list(connection, viewer.project_key, question, week)

        return {"page": await desk.database.answer(ask), "legend": draw_strip_legend()}

    return await desk.page(request, viewer, "agents.html", read)


async def _read_list(
    connection: Connection, project_key: str, question: AgentsQuestion, week: UsageWeek | None
) -> AgentList:
    audit = await read_audit(connection, project_key)
    shown = cut_page(choose_agents(find_agents(audit, question), question, week), question)
    strips = await read_strips(connection, [(agent.project_key, agent.agent_id) for agent in shown])
    return make_list(audit, question, week, strips)


router.include_router(agent.router)
