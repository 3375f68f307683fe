"""The connections that every question goes through: they read, they see one moment, and they answer in time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Self, TypeAlias, TypeVar

import orjson
import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.rows import class_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from runledger.access.waiting import answer_within
from runledger.analytics.errors import ReadUnavailableError

_CONNECT_SECONDS = 2
_ANSWER_SECONDS = 7.0
_MOST_CONNECTIONS = 4
_READING = b"""
SET ROLE runledger_read;
SET default_transaction_read_only = on;
SET default_transaction_isolation = 'repeatable read';
SET statement_timeout = '5s';
SET plan_cache_mode = force_custom_plan;
SET timezone = 'UTC';
"""
"""Filters are optional (`%(x)s IS NULL OR …`): a plan made for all of them at once would use no index."""

_AnswerT = TypeVar("_AnswerT")
_RowT = TypeVar("_RowT")
Connection: TypeAlias = psycopg.AsyncConnection[Any]


@cache
def query(name: str) -> bytes:
    """Return the question in `sql/<name>.sql`; it takes parameters only."""
    return files("runledger.analytics").joinpath("sql", f"{name}.sql").read_bytes()


def reading_types() -> AdaptersMap:
    """Make what turns columns into Python's types: numbers within JSON come out as they went in.

    jsonb writes 1e30 with all its zeros. The standard library would read an integer of more than 64 bits in it, which
    was never told, and which nobody can write as JSON again.
    """
    types = AdaptersMap(psycopg.adapters)
    set_json_loads(orjson.loads, types)
    return types


class Database:
    """Connections in the role runledger_read, which may read the ledger's tables and nothing else.

    Use it as an async context manager. It needs no database to open, and finds one that comes back.

    Args:
        postgres: connection URI, such as `ReadSettings().read_uri`. Its user must be allowed to become runledger_read.
    """

    def __init__(self, postgres: str) -> None:
        self._refusal: psycopg.Error | None = None
        self._pool = AsyncConnectionPool(
            postgres,
            min_size=0,
            max_size=_MOST_CONNECTIONS,
            open=False,
            timeout=_CONNECT_SECONDS,
            check=AsyncConnectionPool.check_connection,
            configure=self._restrict,
            kwargs={
                "autocommit": True,
                "application_name": "runledger-reader",
                "connect_timeout": _CONNECT_SECONDS,
                "context": reading_types(),
            },
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._pool.close()

    async def _restrict(self, connection: Connection) -> None:
        try:
            await connection.execute(_READING)
        except psycopg.Error as error:
            self._refusal = error  # the pool only tries again; who asks shall hear why
            raise
        self._refusal = None

    async def answer(self, ask: Callable[[Connection], Coroutine[Any, Any, _AnswerT]]) -> _AnswerT:
        """Ask within one transaction, so that everything asked is true of one moment; at most seven seconds.

        Args:
            ask: given the connection, asks and returns the answer.

        Raises:
            ReadUnavailableError: no answer in time, no database, or one that does not let us read.
        """
        try:
            return await answer_within(_ANSWER_SECONDS, self._ask(ask))
        except (psycopg.OperationalError, TimeoutError) as error:
            if self._refusal is not None:
                why = f"the database lets nobody read as runledger_read ({self._refusal.diag.message_primary})"
                raise ReadUnavailableError(f"{why}: has `runledger migrate` run?") from error
            raise ReadUnavailableError("the ledger's tables cannot be read just now") from error

    async def _ask(self, ask: Callable[[Connection], Coroutine[Any, Any, _AnswerT]]) -> _AnswerT:
        async with self._pool.connection() as connection, connection.transaction():
            return await ask(connection)

    async def select(self, row: type[_RowT], sql: bytes, named: Mapping[str, object]) -> list[_RowT]:
        """Ask one question and return its rows, as `answer` does.

        Args:
            row: what a row is made into; its fields are the columns' names.
            sql: of `query`.
            named: {parameter: value}.

        Raises:
            ReadUnavailableError: no answer in time, no database, or one that does not let us read.
        """
        return await self.answer(lambda connection: fetch(connection, row, sql, named))


async def fetch(connection: Connection, row: type[_RowT], sql: bytes, named: Mapping[str, object]) -> list[_RowT]:
    """Ask one question on a connection of `Database.answer`."""
    cursor = connection.cursor(row_factory=class_row(row))
    return await (await cursor.execute(sql, named)).fetchall()
