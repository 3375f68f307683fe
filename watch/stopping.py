"""A polite end for an event loop: SIGTERM and SIGINT ask, the loops answer."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from runledger.vitals import told_to_end


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets; call it within the loop, in the main thread."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stopping.set()
        told_to_end()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    return stopping


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until told to stop."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await stopping.wait()
    except TimeoutError:
        return


async def work_until_stopped(stopping: asyncio.Event, work: Coroutine[Any, Any, object]) -> None:
    """Do some work, or as much of it as is done when told to stop; the rest is cancelled.

    Raises:
        Exception: whatever the work raises.
    """
    told, task = asyncio.create_task(stopping.wait()), asyncio.create_task(work)
    try:
        await asyncio.wait({told, task}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        for each in (told, task):
            each.cancel()
        await asyncio.gather(told, task, return_exceptions=True)
