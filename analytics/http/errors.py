"""Answer the errors of readers."""

from __future__ import annotations

import psycopg
import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from runledger.access.http.answers import error_answer
from runledger.access.http.errors import HttpError, invalid, retry_later
from runledger.analytics.errors import CursorError, ReadUnavailableError, TimeZoneError, UnknownProjectError

_LOG = structlog.get_logger()
UNREADABLE = (
    ReadUnavailableError,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
)
"""The database is away, or not migrated yet."""


def handle_read_errors(app: FastAPI) -> None:
    """Give the application handlers for what readers raise."""
    for kind in (CursorError, TimeZoneError, UnknownProjectError, *UNREADABLE):
        app.add_exception_handler(kind, _answer)


async def _answer(_request: Request, error: Exception) -> Response:
    return error_answer(as_http(error))


def as_http(error: Exception) -> HttpError:
    """Choose the answer to an error of a reader."""
    match error:
        case CursorError():
            return invalid("cursor", str(error))
        case TimeZoneError():
            return invalid("time_zone", str(error).removeprefix("time_zone "))
        case UnknownProjectError():
            return HttpError(404, "not_found", "there is no such project")
        case ReadUnavailableError() | psycopg.Error():
            # Whoever asks is not to blame, and need not learn how our database is set up.
            _LOG.warning("ledger_unavailable", error=str(error))
            return retry_later("ledger_unavailable", "the ledger's tables cannot be read just now; ask again")
        case _:
            raise error
