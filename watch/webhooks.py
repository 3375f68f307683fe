"""Tells each project's receiver of its incidents, each at least once, until it says that it has it.

An attempt is claimed before it is made: if this process dies between the post and the mark, the claim runs out and the
same message is posted again, under the same webhook-id.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import timedelta

import aiohttp
import psycopg
import structlog

from runledger.vitals import count
from runledger.vitals.metrics import WEBHOOKS
from runledger.watch.availability import Availability
from runledger.watch.database import Database, heals, reason_of
from runledger.watch.deliveries import Deliveries
from runledger.watch.messages import Delivery, incident_message
from runledger.watch.posting import Outcome, open_session, post
from runledger.watch.schedule import pause_after
from runledger.watch.settings import WatchSettings
from runledger.watch.stopping import pause

_DRAIN_SECONDS = 6
"""Posts that take longer when the process is told to end are made again by the next one."""
_log = structlog.get_logger()


async def send_webhooks(settings: WatchSettings, stopping: asyncio.Event) -> None:
    """Deliver until `stopping` is set, then let posts under way end.

    Raises:
        psycopg.Error: the database is in a state that waiting does not mend.
    """
    database = Database(settings.postgres, "runledger-webhooks", settings.request_seconds)
    availability = Availability("webhooks", settings.retry_limit_seconds)
    try:
        async with open_session(settings.webhook_timeout_seconds) as session:
            sender = Sender(settings, Deliveries(database), session)
            try:
                while not stopping.is_set():
                    try:
                        await sender.step()
                        availability.answered()
                        await sender.wait(stopping)
                    except (psycopg.Error, TimeoutError) as error:
                        if not heals(error):
                            raise
                        await pause(stopping, availability.lost(reason_of(error)))
            finally:
                await sender.drain()
    finally:
        await database.close()


class Sender:
    """Posts what is due, a few at once for each project, so that a slow receiver delays no other project.

    Args:
        settings: paces and bounds.
        deliveries: the table.
        session: posts.
    """

    def __init__(self, settings: WatchSettings, deliveries: Deliveries, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._deliveries = deliveries
        self._session = session
        self._under_way: dict[asyncio.Task[None], str] = {}
        """{attempt: its project}."""
        self._note_at = 0.0

    async def step(self) -> None:
        """Look for new incidents, and begin the attempts that are due.

        Raises:
            psycopg.Error, TimeoutError: the database refused or did not answer.
        """
        if time.monotonic() >= self._note_at:
            noted = await self._deliveries.note_incidents()
            self._note_at = time.monotonic() + self._settings.webhook_poll_seconds
            if noted:
                _log.info("incidents_noted", count=noted)
        most = self._settings.webhook_in_flight - len(self._under_way)
        if most <= 0:
            return
        claimed = await self._deliveries.claim(
            most=most,
            each=self._settings.webhook_in_flight_per_project,
            busy=Counter(self._under_way.values()),
            lease=timedelta(seconds=self._settings.webhook_lease_seconds),
        )
        for delivery in claimed:
            attempt = asyncio.create_task(self._attempt(delivery))
            self._under_way[attempt] = delivery.project_key

    async def _attempt(self, delivery: Delivery) -> None:
        outcome = await post(self._session, delivery.url, delivery.secret, incident_message(delivery))
        await self._mark(delivery, outcome)
        _log.info(
            "webhook_posted",
            incident=str(delivery.incident_id),
            state=delivery.state,
            project=delivery.project_key,
            attempt=delivery.attempts,
            error=outcome.error,
        )

    async def _mark(self, delivery: Delivery, outcome: Outcome) -> None:
        if outcome.error is None:
            count(WEBHOOKS, 1, "delivered")
            await self._deliveries.mark_delivered(delivery)
            return
        first = timedelta(seconds=self._settings.webhook_first_retry_seconds)
        chance = random.random()  # noqa: S311  # spreads attempts, guards nothing
        pause = None if outcome.is_final else pause_after(delivery.attempts, first, chance)
        count(WEBHOOKS, 1, "given_up" if pause is None else "failed")
        if pause is None:
            _log.warning("webhook_given_up", incident=str(delivery.incident_id), project=delivery.project_key)
        await self._deliveries.mark_failed(delivery, outcome.error, pause)

    async def wait(self, stopping: asyncio.Event) -> None:
        """Wait for the end of an attempt, at most for the poll interval.

        Raises:
            psycopg.Error, TimeoutError: an attempt could not be marked; it will be made again.
        """
        told = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait(
                {told, *self._under_way},
                timeout=self._settings.webhook_poll_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            told.cancel()
        self._reap()

    def _reap(self) -> None:
        ended = [attempt for attempt in self._under_way if attempt.done()]
        errors = [error for attempt in ended if (error := attempt.exception()) is not None]
        for attempt in ended:
            del self._under_way[attempt]
        if errors:
            raise errors[0]

    async def drain(self) -> None:
        """Let attempts under way end; those that take too long are left to the next process."""
        if self._under_way:
            _done, late = await asyncio.wait(self._under_way, timeout=_DRAIN_SECONDS)
            for attempt in late:
                attempt.cancel()
        results = await asyncio.gather(*self._under_way, return_exceptions=True)
        self._under_way = {}
        unmarked = sum(isinstance(result, BaseException) for result in results)
        if unmarked:
            _log.warning("attempts_unaccounted_for", count=unmarked)
