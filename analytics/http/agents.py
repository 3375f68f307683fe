"""The routes about agents: the list, one agent, the audit."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import TypeAdapter

from runledger.analytics.auditor import Audit, Auditor
from runledger.analytics.http.agent_answers import AgentAnswer, AgentsAnswer, AuditAnswer
from runledger.analytics.http.answers import READING
from runledger.analytics.http.gate import Project, Tables, missing
from runledger.analytics.http.questions import AgentsQuestion, Question
from runledger.analytics.http.values import AgentName
from runledger.analytics.paging import Page, read_cursor, write_cursor
from runledger.analytics.verdicts import AuditedAgent

router = APIRouter(prefix="/api/v1", responses=READING, tags=["agents"])
_PLACE: TypeAdapter[tuple[str]] = TypeAdapter(tuple[AgentName])


@router.get("/audit", operation_id="audit")
async def audit_agents(project_key: Project, tables: Tables, asked: Annotated[Question, Query()]) -> AuditAnswer:
    """Say which agents have stopped reporting, fail, or run without doing anything."""
    del asked
    audit = await Auditor(tables).audit(project_key)
    return AuditAnswer.model_validate(
        {
            "judged": audit.judged,
            "pipeline": audit.pipeline,
            "agents": len(audit.agents),
            "more_agents": audit.more_agents,
            "states": Counter(agent.state for agent in audit.agents),
            "found": audit.found,
        }
    )


@router.get("/agents", operation_id="list_agents")
async def list_agents(project_key: Project, tables: Tables, asked: Annotated[AgentsQuestion, Query()]) -> AgentsAnswer:
    """List agents by their ids, each with what the auditor says of it."""
    audit = await Auditor(tables).audit(project_key)
    page = _page(audit, project_key, asked)
    return AgentsAnswer.model_validate(
        {
            "judged": audit.judged,
            "pipeline": audit.pipeline,
            "agents": page.rows,
            "more_agents": audit.more_agents,
            "next_cursor": page.next_cursor,
        }
    )


def _page(audit: Audit, project_key: str, asked: AgentsQuestion) -> Page[AuditedAgent]:
    question = {"list": "agents", "project_key": project_key, "state": asked.state}
    agents = [agent for agent in audit.agents if asked.state in {None, agent.state}]
    # By code points here, whatever the database's collation makes of the ids.
    agents.sort(key=lambda agent: agent.agent_id)
    if asked.cursor is not None:
        (after,) = read_cursor(asked.cursor, question, _PLACE)
        agents = [agent for agent in agents if agent.agent_id > after]
    rows = agents[: asked.limit]
    more = len(agents) > asked.limit
    return Page(rows, write_cursor(question, [rows[-1].agent_id]) if more else None)


# An agent's id may hold slashes.
@router.get("/agents/{agent_id:path}", operation_id="get_agent")
async def get_agent(
    project_key: Project,
    tables: Tables,
    agent_id: Annotated[AgentName, Path(description="The agent, slashes and all.")],
    asked: Annotated[Question, Query()],
) -> AgentAnswer:
    """Give one agent and what the auditor says of it."""
    del asked
    agent = await Auditor(tables).audit_agent(project_key, agent_id)
    if agent is None:
        raise missing("agent")
    return AgentAnswer.model_validate(agent)
