"""An event loop's pulse: whatever holds the loop up, holds this up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runledger.vitals.process import watch
from runledger.vitals.watched import Pulse

_BEAT_SECONDS = 0.5


async def beat_for_ever() -> None:
    """Have the running loop watched until cancelled."""
    pulse = Pulse("event loop")
    watch(pulse)
    while True:
        pulse.beat()
        await asyncio.sleep(_BEAT_SECONDS)


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Have the running loop watched for the length of a block."""
    task = asyncio.create_task(beat_for_ever())
    try:
        yield
    finally:
        task.cancel()
