"""List a project's incidents, page by page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from runledger.analytics.database import Database, query
from runledger.analytics.paging import Page, read_cursor, write_cursor
from runledger.schemas.values import Timestamp

_PLACE: TypeAdapter[tuple[datetime, UUID]] = TypeAdapter(tuple[Timestamp, UUID])


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; None for any."""

    agent_id: str | None = None
    kind: str | None = None
    state: str | None = None
    since: datetime | None = None
    """Opened then or later."""
    until: datetime | None = None
    """Opened before."""


@dataclass(frozen=True, slots=True)
class ListedIncident:
    """A streak that reached its threshold."""

    incident_id: UUID
    agent_id: str
    kind: str
    state: str
    threshold: int
    run_id: UUID
    """Run that opened it."""
    opened_at: datetime
    """When that run ended."""
    recovered_at: datetime | None
    recovered_run_id: UUID | None


class IncidentList:
    """Reads lists of incidents.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, project_key: str, wanted: IncidentFilter, limit: int = 50, cursor: str | None = None
    ) -> Page[ListedIncident]:
        """Read one page, the newest first.

        Raises:
            CursorError: the cursor is none, or of another list.
            ReadUnavailableError: the database does not answer in time.
        """
        question = {"list": "incidents", "project_key": project_key, **asdict(wanted)}
        place = (None, None) if cursor is None else read_cursor(cursor, question, _PLACE)
        asked = {**question, "limit": limit + 1, "place_at": place[0], "place_id": place[1]}
        rows = await self._database.select(ListedIncident, query("select_incidents"), asked)
        if len(rows) <= limit:
            return Page(rows, None)
        last = rows[limit - 1]
        return Page(rows[:limit], write_cursor(question, [last.opened_at, last.incident_id]))
