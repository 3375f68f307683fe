"""One connection to Postgres that every question has to share, none longer than a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import psycopg

from runledger.access.waiting import answer_within

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]
_AnswerT = TypeVar("_AnswerT")
_CLOSING_SECONDS = 2

# PostgreSQL manual, appendix A: connection lost, transaction rolled back, out of resources, shut down or cancelled.
_HEALING_CLASSES = frozenset({"08", "40", "53", "57"})
_HEALING_STATES = frozenset({"25006", "25P03", "55P03"})
"""Read-only for a while, timed out while idle, lock not available."""


def heals(error: Exception) -> bool:
    """Tell whether waiting may help; if not, a person has to look."""
    if not isinstance(error, psycopg.Error):
        return isinstance(error, TimeoutError)
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate in _HEALING_STATES or error.sqlstate[:2] in _HEALING_CLASSES


def reason_of(error: Exception) -> str:
    """Say why in words fit for a log: a server's own words may quote a value, a client's the connection's address."""
    return (error.sqlstate if isinstance(error, psycopg.Error) else None) or type(error).__name__


class Database:
    """Asks Postgres, one question after the other, and connects again after an error.

    Args:
        postgres: connection URI.
        name: shown in pg_stat_activity.
        answer_seconds: longest wait for one answer.
    """

    def __init__(self, postgres: str, name: str, answer_seconds: float) -> None:
        self._postgres = postgres
        self._name = name
        self._answer_seconds = answer_seconds
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._asking: set[asyncio.Task[Any]] = set()
        """Under way, or cancelled and not yet ended."""

    async def ask(self, question: Callable[[Connection], Awaitable[_AnswerT]]) -> _AnswerT:
        """Run a question in a transaction of its own.

        Raises:
            psycopg.Error: the database refused, or cannot be reached; see `heals`.
            TimeoutError: it does not answer.
        """
        async with self._lock:
            try:
                return await answer_within(self._answer_seconds, self._noted(question))
            except BaseException:
                dropped, self._connection = self._connection, None
                if dropped is not None and all(task.done() for task in self._asking):  # cancelled when answered
                    await dropped.close()
                raise

    async def _noted(self, question: Callable[[Connection], Awaitable[_AnswerT]]) -> _AnswerT:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # coroutines run in tasks
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return await self._ask(question)

    async def _ask(self, question: Callable[[Connection], Awaitable[_AnswerT]]) -> _AnswerT:
        connection = self._connection
        if connection is None or connection.closed:
            connection = await self._connect()
        try:
            if connection is not self._connection:
                # What we no longer wait for shall not go on.
                timeout = {"timeout": f"{self._answer_seconds:.3f}s"}
                await connection.execute("SELECT set_config('statement_timeout', %(timeout)s, false)", timeout)
                self._connection = connection
            async with connection.transaction():
                return await question(connection)
        except BaseException:
            await connection.close()
            raise

    async def _connect(self) -> Connection:
        return await psycopg.AsyncConnection.connect(
            self._postgres,
            autocommit=True,
            application_name=self._name,
            connect_timeout=max(2, int(self._answer_seconds)),
        )

    async def close(self) -> None:
        """Close the connection, if there is one; a question that was cancelled gets a moment to end."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=_CLOSING_SECONDS)
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
