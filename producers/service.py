"""Log a run from inside the agent's own process (Agent Run Log, "Service Layer")."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any
from uuid import UUID

from runledger.producers.client import RunClient
from runledger.producers.deliveries import OnDelivered
from runledger.producers.errors import DeliveryError, Undelivered
from runledger.producers.settings import ProducerSettings
from runledger.schemas.identifiers import row_id
from runledger.schemas.run_events import LogStatus


async def write_run_log(
    agent_id: str,
    actions_taken: Mapping[str, Any] | None = None,
    status: LogStatus = "success",
    *,
    project: str | None = None,
    event_id: str | None = None,
) -> UUID:
    """Log one agent run and wait until the broker has it. Return the id its row will have in agent_run_log.

    The connection comes from the environment (RUNLEDGER_URL with RUNLEDGER_API_KEY, or RUNLEDGER_KAFKA with
    RUNLEDGER_TOPIC_PREFIX), the project from RUNLEDGER_PROJECT if it is not given. The row itself appears a moment
    later.

    Args:
        agent_id: who; trimmed, 1 to 255 characters.
        actions_taken: what was done, a JSON object; its `summary` is shown.
        status: success, partial or failed.
        project: whose.
        event_id: idempotency key: a call repeated with it writes no second row.

    Raises:
        InvalidEventError: a value breaks the event model; nothing was sent.
        QueueFullError: the local queue stayed full; nothing was sent.
        DeliveryError: the broker has not acknowledged it, be it in the spool.
    """
    client, default_project = _client_of(os.getpid())
    loop = asyncio.get_running_loop()
    delivered: asyncio.Future[Undelivered | None] = loop.create_future()

    def settle(failure: Undelivered | None) -> None:
        if not delivered.done():
            delivered.set_result(failure)

    project = default_project if project is None else project
    run_id = await asyncio.to_thread(  # a full queue makes the call wait, which must not stop the loop
        client.log_run,
        agent_id,
        status,
        actions_taken,
        project=project,
        event_id=event_id,
        on_delivered=lambda failure: _tell(loop, settle, failure),
    )
    if failure := await delivered:
        raise DeliveryError((failure,))
    return row_id(project, run_id)


def _tell(loop: asyncio.AbstractEventLoop, settle: OnDelivered, failure: Undelivered | None) -> None:
    """Carry the broker's word into the caller's loop; it may be closed by then, with nobody left to hear."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(settle, failure)


@cache
def _client_of(_pid: int) -> tuple[RunClient, str]:
    """Make this process's client, once; closed when the process ends. Strict: a row promised is a row acknowledged."""
    settings = ProducerSettings()
    return RunClient(settings=settings, strict=True), settings.project
