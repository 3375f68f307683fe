"""The deliveries in Postgres: what is due, who has it in hand, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import orjson
from psycopg.rows import class_row

from runledger.watch.database import Connection, Database
from runledger.watch.messages import Delivery
from runledger.watch.statements import statement

_OVERLAP = timedelta(minutes=10)
"""A row shows up when the sink commits, up to its statement timeout after the time that stands in it."""


class Deliveries:
    """Asks and writes table webhook_delivery.

    Raises, in every method:
        psycopg.Error, TimeoutError: as `Database.ask`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked_at: datetime | None = None

    async def note_incidents(self) -> int:
        """Make deliveries of incidents that are new or have changed; the first time all are looked at."""

        async def note(connection: Connection) -> tuple[datetime, int]:
            row = await (await connection.execute(statement("ask_time"))).fetchone()
            since = "-infinity" if self._looked_at is None else self._looked_at - _OVERLAP
            inserted = await connection.execute(statement("insert_deliveries"), {"since": since})
            assert row is not None  # noqa: S101  # a SELECT without FROM gives one row
            return row[0], inserted.rowcount

        self._looked_at, count = await self._database.ask(note)
        return count

    async def claim(self, *, most: int, each: int, busy: Mapping[str, int], lease: timedelta) -> list[Delivery]:
        """Take deliveries that are due.

        Args:
            most: at most so many.
            each: at most so many of one project, those it has in hand included.
            busy: {project_key: how many of it are in hand}.
            lease: they are due again after this unless they are marked.
        """
        values = {"most": most, "each": each, "busy": orjson.dumps(busy).decode(), "lease": lease}

        async def take(connection: Connection) -> list[Delivery]:
            async with connection.cursor(row_factory=class_row(Delivery)) as cursor:
                return await (await cursor.execute(statement("claim_deliveries"), values)).fetchall()

        return await self._database.ask(take)

    async def mark_delivered(self, delivery: Delivery) -> None:
        """Note that the receiver has it."""
        await self._mark("mark_delivered", delivery, {})

    async def mark_failed(self, delivery: Delivery, error: str, pause: timedelta | None) -> None:
        """Note why the attempt failed, and when the next is due; None to give up."""
        await self._mark("mark_failed", delivery, {"error": error, "pause": pause, "attempts": delivery.attempts})

    async def _mark(self, name: str, delivery: Delivery, values: dict[str, object]) -> None:
        async def mark(connection: Connection) -> None:
            await connection.execute(
                statement(name), {"incident_id": delivery.incident_id, "state": delivery.state, **values}
            )

        await self._database.ask(mark)
