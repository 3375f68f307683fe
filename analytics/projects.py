"""Which projects there are: for operators, who see them all."""

from __future__ import annotations

from dataclasses import dataclass

from runledger.analytics.database import Database, query
from runledger.analytics.errors import UnknownProjectError


@dataclass(frozen=True, slots=True)
class _Project:
    project_key: str


async def list_projects(database: Database) -> list[str]:
    """Name every project.

    Raises:
        ReadUnavailableError: the database does not answer in time.
    """
    return [found.project_key for found in await database.select(_Project, query("select_projects"), {})]


async def require_project(database: Database, project_key: str) -> None:
    """See that there is such a project: of one that is not there, every list is empty.

    Raises:
        UnknownProjectError: there is none.
        ReadUnavailableError: the database does not answer in time.
    """
    if not await database.select(_Project, query("select_project"), {"project_key": project_key}):
        raise UnknownProjectError(f"there is no project {project_key}")
