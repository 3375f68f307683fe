"""A migrated database, incidents as the sink writes them, and senders that do not wait long."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import orjson
import psycopg
import pytest

from runledger.access.projects import create_project
from runledger.access.webhooks import set_webhook
from runledger.schemas.outcomes import Incident
from runledger.sinks.migrate import migrate
from runledger.sinks.rows import incident_row
from runledger.sinks.statements import statement
from runledger.watch.settings import WatchSettings
from runledger.watch.webhooks import send_webhooks
from tests.integration.watch.receiver import Receiver

DEADLINE_SECONDS = 30
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Ledger:
    """A database with the ledger's tables."""

    uri: str
    connection: psycopg.Connection

    def project(self, key: str, receiver: Receiver | None = None) -> None:
        """Create a project, with a webhook if there is a receiver for it."""
        create_project(self.connection, key)
        if receiver is not None:
            receiver.secret = set_webhook(self.connection, key, receiver.url)

    def open(self, number: int, project: str = "acme") -> Incident:
        """Tell an incident as the sink does."""
        incident = Incident(UUID(int=number), project, "sage", "failing", "open", 3, UUID(int=1), AT, 1)
        return self.write(incident)

    def recover(self, incident: Incident) -> Incident:
        """Tell that it recovered."""
        recovered_at = AT + timedelta(hours=1)
        return self.write(
            replace(incident, state="recovered", version=2, recovered_at=recovered_at, recovered_run_id=UUID(int=2))
        )

    def write(self, incident: Incident) -> Incident:
        """Upsert an incident by the sink's own statement."""
        rows = orjson.dumps([incident_row(incident)]).decode()
        self.connection.execute(statement("upsert_incidents"), {"rows": rows})
        return incident

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.connection.execute(query.encode(), parameters).fetchall()

    def settings(self, **changed: float) -> WatchSettings:
        """Give settings of a sender that does not wait long."""
        quick = {
            "webhook_poll_seconds": 0.05,
            "webhook_timeout_seconds": 0.5,
            "webhook_lease_seconds": 3,
            "webhook_first_retry_seconds": 0.05,
        }
        return WatchSettings(postgres=self.uri, **{**quick, **changed})  # type: ignore[arg-type]  # every one of them is a number

    def environment(self, **changed: float) -> dict[str, str]:
        """Give the same for a process."""
        settings = self.settings(**changed)
        names = {name: getattr(settings, name) for name in settings.model_fields_set}
        return os.environ | {f"RUNLEDGER_{name.upper()}": str(value) for name, value in names.items()}


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    """A migrated database of the test's own."""
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        yield Ledger(database, connection)


Sending: TypeAlias = Callable[..., AbstractAsyncContextManager[asyncio.Event]]


@pytest.fixture
def sending(ledger: Ledger) -> Sending:
    """Send webhooks for the length of a block; the settings differ as told."""

    @asynccontextmanager
    async def sending(**changed: float) -> AsyncIterator[asyncio.Event]:
        stopping = asyncio.Event()
        task = asyncio.create_task(send_webhooks(ledger.settings(**changed), stopping))
        try:
            yield stopping
        finally:
            stopping.set()
            await task

    return sending


async def until(condition: Callable[[], bool], timeout_seconds: float = DEADLINE_SECONDS) -> None:
    """Poll until it holds.

    Raises:
        TimeoutError: it does not.
    """
    async with asyncio.timeout(timeout_seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for stands in the database
            await asyncio.sleep(0.02)
