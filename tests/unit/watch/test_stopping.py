from __future__ import annotations

import asyncio
import os
import signal

import pytest

from runledger.watch.stopping import pause, stop_on_signals, work_until_stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_the_end(number: signal.Signals) -> None:
    stopping = stop_on_signals()
    try:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopping.wait(), 5)
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(each)


async def test_a_pause_ends_by_itself_or_when_told() -> None:
    stopping = asyncio.Event()
    await pause(stopping, 0.01)
    await pause(stopping, -1)
    stopping.set()
    await asyncio.wait_for(pause(stopping, 3600), 5)


async def test_work_is_done_to_its_end_and_its_errors_are_raised() -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    async def fail() -> None:
        raise ValueError("no")

    await work_until_stopped(asyncio.Event(), work())
    assert done.is_set()
    with pytest.raises(ValueError, match="no"):
        await work_until_stopped(asyncio.Event(), fail())


async def test_work_is_cancelled_when_told_to_stop() -> None:
    stopping, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        stopping.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    await asyncio.wait_for(work_until_stopped(stopping, work()), 5)
    assert cleaned.is_set()
