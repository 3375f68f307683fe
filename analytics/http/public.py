"""What anybody may read, without a key: figures of the projects that opted in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from runledger.access.http.answers import documented
from runledger.analytics.http.agent_answers import IntelligenceAnswer
from runledger.analytics.http.gate import TheGate, refuse_repeated
from runledger.analytics.http.questions import IntelligenceQuestion

PUBLIC_SECONDS = 10
_ANSWERS = documented(
    {
        422: "A parameter is unknown or breaks a rule; the answer names it.",
        503: "The tables do not answer in time. Ask again.",
    }
)
router = APIRouter(prefix="/api/v1/public", responses=_ANSWERS, tags=["public"])


@router.get("/platform/intelligence", operation_id="get_intelligence")
async def get_intelligence(
    request: Request, response: Response, gate: TheGate, asked: Annotated[IntelligenceQuestion, Query()]
) -> IntelligenceAnswer:
    """Give the day's completed tasks, the quality of a week, and what each agent did last.

    Pages of any origin may read it, and caches may keep it for some seconds.
    """
    refuse_repeated(request)
    zone = gate.time_zone if asked.time_zone is None else asked.time_zone
    figures = await gate.intelligence.read(zone)
    response.headers["Cache-Control"] = f"public, max-age={PUBLIC_SECONDS}"
    return IntelligenceAnswer.model_validate(figures)
