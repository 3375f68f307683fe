"""Telling of model calls, without ever disturbing the program that makes them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from runledger.integrations.model_calls import ModelCall, Owner, events_of
from runledger.producers import AsyncRunClient, RunClient
from runledger.producers.async_client import plain_client
from runledger.producers.exceptions import mark_recorded

_LOG = logging.getLogger(__name__)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Log whatever goes wrong inside instead of raising it: a model's caller must not fail for its reporting."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # logged, by its type alone: its text may hold a prompt
        _LOG.warning("a model call was not reported: %s", type(error).__name__)


class Reporter:
    """Tell of finished calls through a client.

    Args:
        client: which one; it masks, queues and delivers as always.
        project: of calls outside of any run; RUNLEDGER_PROJECT if left out.
        agent: who makes such calls.
        previews: whether prompts' excerpts are told.
    """

    def __init__(
        self, client: RunClient | AsyncRunClient, *, project: str | None = None, agent: str, previews: bool = True
    ) -> None:
        self.client = plain_client(client)
        self._previews = previews
        self.owner = Owner(self.client.settings.project if project is None else project, agent)

    def tell(self, call: ModelCall) -> None:
        """Queue the events of a call; only a strict client's full queue makes this wait."""
        with undisturbed():
            if not self._previews:
                call = replace(call, prompt=None)
            events = events_of(self.client.settings, self.owner, call)
            for event in events:
                self.client.publish(event)
            if call.error is not None:  # its failure is among them, and all are of one run
                mark_recorded(call.error, events[0].run_id)

    async def tell_async(self, call: ModelCall) -> None:
        """Do the same without making an event loop wait."""
        if self.client.settings.strict:
            with undisturbed():
                await asyncio.to_thread(self.tell, call)
        else:
            self.tell(call)
