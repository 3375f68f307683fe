"""Create projects and their keys. These tables are an operator's; nothing in them is derived from the log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from runledger.access.errors import AccessError, NoProjectError
from runledger.access.keys import ApiKey, Scope

_SQL = files("runledger.access") / "sql"
_PROJECT_KEY = re.compile(r"[a-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key."""

    project_key: str
    key_id: UUID | None
    label: str | None
    scopes: list[str] | None
    created_at: datetime | None
    revoked_at: datetime | None


def _statement(name: str) -> bytes:
    return (_SQL / f"{name}.sql").read_bytes()


def create_project(connection: psycopg.Connection[Any], project_key: str, name: str | None = None) -> bool:
    """Create a project; False if it was there already.

    Raises:
        AccessError: the key is not of the form [a-z0-9_-]{1,64}.
    """
    if not _PROJECT_KEY.fullmatch(project_key):
        raise AccessError(f"{project_key[:80]!r} is no project key: 1 to 64 of a-z, 0-9, _ and -")
    cursor = connection.execute(_statement("insert_project"), {"project_key": project_key, "name": name})
    return cursor.rowcount == 1


def publish_undecided(connection: psycopg.Connection[Any], project_key: str) -> bool:
    """Make a project's figures public where nobody has decided; False if somebody has, or there is no such project."""
    return connection.execute(_statement("publish_undecided"), {"project_key": project_key}).rowcount == 1


def set_public(connection: psycopg.Connection[Any], project_key: str, *, is_public: bool) -> None:
    """Decide whether a project's figures and cards may be shown to anybody.

    Raises:
        NoProjectError: there is no such project.
    """
    decided = connection.execute(_statement("set_public"), {"project_key": project_key, "is_public": is_public})
    if decided.rowcount == 0:
        raise no_project(project_key)


def close_project(connection: psycopg.Connection[Any], project_key: str) -> None:
    """Revoke a project's keys, remove its webhook and its name, and publish nothing of it any more."""
    connection.execute(_statement("close_project"), {"project_key": project_key})


def no_project(project_key: str) -> NoProjectError:
    """Say that there is no such project, and how to make it."""
    return NoProjectError(f"there is no project {project_key!r}: runledger project create {project_key}")


def create_key(
    connection: psycopg.Connection[Any], project_key: str, scopes: Sequence[Scope], label: str | None = None
) -> ApiKey:
    """Make a key for a project. The returned value is the only place where its secret ever stands.

    Raises:
        NoProjectError: there is no such project.
    """
    key = ApiKey.new()
    parameters = {
        "key_id": key.key_id,
        "project_key": project_key,
        "key_hash": key.digest(),
        "scopes": sorted(set(scopes)),
        "label": label,
    }
    try:
        connection.execute(_statement("insert_key"), parameters)
    except psycopg.errors.ForeignKeyViolation:
        raise no_project(project_key) from None
    return key


def rotate_keys(
    connection: psycopg.Connection[Any], project_key: str, *, grace: timedelta = timedelta(0)
) -> list[tuple[KeyInfo, ApiKey]]:
    """Replace every living key of a project by a new one with the same scopes and label.

    Args:
        connection: in autocommit mode; all happens in one transaction.
        project_key: whose keys.
        grace: how long the old ones go on working, those of an earlier rotation too.

    Returns:
        (old key, new key) for each.

    Raises:
        NoProjectError: the project does not exist or has no living key.
    """
    with connection.transaction(), connection.cursor(row_factory=class_row(KeyInfo)) as cursor:
        revoke = {"project_key": project_key, "grace": grace}
        old = cursor.execute(_statement("revoke_keys"), revoke).fetchall()
        if not old:
            raise NoProjectError(f"project {project_key!r} has no living key: runledger project create {project_key}")
        scopes_of: list[tuple[KeyInfo, list[Any]]] = [(info, list(info.scopes or [])) for info in old]
        return [(info, create_key(connection, project_key, scopes, info.label)) for info, scopes in scopes_of]


def list_keys(connection: psycopg.Connection[Any]) -> list[KeyInfo]:
    """List projects with their keys, living ones first; a project without keys is listed once."""
    with connection.cursor(row_factory=class_row(KeyInfo)) as cursor:
        return cursor.execute(_statement("list_keys")).fetchall()
