"""Where a project wants its incidents sent. One webhook a project; the table is an operator's."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import class_row

from runledger.access.errors import BadUrlError, NoWebhookError
from runledger.access.projects import no_project

_SQL = files("runledger.access") / "sql"
_SECRET_BYTES = 32
_SECRET_PREFIX = "whsec_"  # noqa: S105  # how the Standard Webhooks specification marks a secret, not one
MAX_URL_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Webhook:
    """One project's webhook. Its repr does not tell the secret.

    Args:
        project_key: whose.
        url: address that is posted to.
        secret: key of the signature.
        created_at: what happened before is not sent.
    """

    project_key: str
    url: str
    secret: bytes = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of a project's incidents; each is counted once per state."""

    delivered: int
    pending: int
    given_up: int
    last_delivered_at: datetime | None
    last_error: str | None


def _statement(name: str) -> bytes:
    return (_SQL / f"{name}.sql").read_bytes()


def check_url(url: str) -> str:
    """Return the address if it can be posted to.

    Raises:
        BadUrlError: it is not http or https, names no host, holds a user or password, or is too long. The message
            does not repeat it.
    """
    if len(url) > MAX_URL_LENGTH:
        raise BadUrlError(f"the URL is {len(url)} characters long; {MAX_URL_LENGTH} are allowed")
    if not url.isprintable() or " " in url:
        raise BadUrlError("the URL holds spaces or control characters")
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise BadUrlError("this is no URL; it looks like https://example.com/hooks/runledger") from None
    if parts.scheme not in ("http", "https"):
        raise BadUrlError("the URL must begin with https:// or http://")
    if not has_host:
        raise BadUrlError("the URL names no host, or port 0")
    if "@" in parts.netloc:
        raise BadUrlError("the URL holds a user or password: these would stand in logs; the signature says who sends")
    return url


def secret_text(secret: bytes) -> str:
    """Write a secret as receivers take it (Standard Webhooks 1.0.0, "Signature scheme")."""
    return _SECRET_PREFIX + base64.b64encode(secret).decode()


def set_webhook(connection: psycopg.Connection[Any], project_key: str, url: str) -> str:
    """Set a project's webhook, or replace its address and secret.

    Returns:
        The secret for its receiver. It cannot be shown again.

    Raises:
        BadUrlError: nothing can be posted there.
        NoProjectError: there is no such project.
    """
    secret = secrets.token_bytes(_SECRET_BYTES)
    values = {"project_key": project_key, "url": check_url(url), "secret": secret}
    try:
        connection.execute(_statement("upsert_webhook"), values)
    except psycopg.errors.ForeignKeyViolation:
        raise no_project(project_key) from None
    return secret_text(secret)


def find_webhook(connection: psycopg.Connection[Any], project_key: str) -> Webhook:
    """Return a project's webhook.

    Raises:
        NoWebhookError: it has none.
    """
    with connection.cursor(row_factory=class_row(Webhook)) as cursor:
        found = cursor.execute(_statement("find_webhook"), {"project_key": project_key}).fetchone()
    if found is None:
        raise _no_webhook(project_key)
    return found


def count_deliveries(connection: psycopg.Connection[Any], project_key: str) -> Deliveries:
    """Say what became of a project's incidents."""
    with connection.cursor(row_factory=class_row(Deliveries)) as cursor:
        counted = cursor.execute(_statement("count_deliveries"), {"project_key": project_key}).fetchone()
    assert counted is not None  # noqa: S101  # aggregates without GROUP BY give one row
    return counted


def remove_webhook(connection: psycopg.Connection[Any], project_key: str) -> None:
    """Remove a project's webhook; what was not delivered yet is given up.

    Raises:
        NoWebhookError: it has none.
    """
    if connection.execute(_statement("delete_webhook"), {"project_key": project_key}).rowcount == 0:
        raise _no_webhook(project_key)


def _no_webhook(project_key: str) -> NoWebhookError:
    return NoWebhookError(f"project {project_key!r} has no webhook: runledger project webhook set {project_key} URL")
