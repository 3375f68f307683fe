"""The process `watch`: the watermark and the webhooks, side by side in one event loop."""

from __future__ import annotations

import asyncio

from runledger.vitals import beating
from runledger.watch.settings import WatchSettings
from runledger.watch.stopping import stop_on_signals
from runledger.watch.watermark import keep_watermark
from runledger.watch.webhooks import send_webhooks


def run_watch(settings: WatchSettings) -> None:
    """Watch until SIGTERM or SIGINT.

    Raises:
        psycopg.Error: the database is in a state that waiting does not mend.
    """
    asyncio.run(_watch(settings))


async def _watch(settings: WatchSettings) -> None:
    async with beating():
        await watch(settings, stop_on_signals())


async def watch(settings: WatchSettings, stopping: asyncio.Event) -> None:
    """Watch until `stopping` is set; if one of the two ends by an error, so does the other."""
    parts = [
        asyncio.create_task(keep_watermark(settings, stopping)),
        asyncio.create_task(send_webhooks(settings, stopping)),
    ]
    await asyncio.wait(parts, return_when=asyncio.FIRST_EXCEPTION)
    stopping.set()
    await asyncio.wait(parts)
    for part in parts:
        part.result()
