"""What anybody may see, without a key: the figures of the intelligence endpoint, and nothing more."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from runledger.analytics.dashboard.desk import Model, TheDesk

PATH = "/public"
router = APIRouter()


@router.get(PATH)
async def show_public(request: Request, desk: TheDesk) -> Response:
    """Show the figures and cards of the projects that opted in."""

    async def read() -> Model:
        return {"figures": await desk.intelligence.read(desk.time_zone)}

    return await desk.public_page(request, "public.html", read)
