"""Read the names of a project's agents, to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from runledger.analytics.database import Database, query


@dataclass(frozen=True, slots=True)
class _Named:
    agent_id: str


async def agent_names(database: Database, project_key: str, limit: int) -> list[str]:
    """Read them in their order, those still at work before the retired, at most `limit`.

    Raises:
        ReadUnavailableError: the database does not answer in time.
    """
    asked = {"project_key": project_key, "limit": limit}
    return [named.agent_id for named in await database.select(_Named, query("select_agent_names"), asked)]
