"""The stream of notices to an open page (Server-Sent Events)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import orjson
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from runledger.access.http.errors import HttpError
from runledger.analytics.dashboard.desk import Desk, TheDesk, Viewer

router = APIRouter()


@router.get("/live")
async def tell_changes(desk: TheDesk, viewer: Viewer) -> StreamingResponse:
    """Tell an open page whenever it may show something else; it says nothing of what."""
    del viewer  # it is enough that there is one
    if desk.live.is_full:
        raise HttpError(503, "not_ready", "too many pages are open", headers={"Retry-After": "30"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(desk), media_type="text/event-stream", headers=headers)


async def _lines(desk: Desk) -> AsyncIterator[bytes]:
    async with aclosing(desk.live.notices()) as notices:  # who leaves is counted no more, at once
        async for notice in notices:
            if notice is None:
                yield b": still there\n\n"
            else:
                told = {"version": notice.version, "state": notice.state, "as_of": notice.as_of}
                yield b"data: " + orjson.dumps(told) + b"\n\n"
