"""Ask the ledger about one project's runs, failures and costs."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from importlib.resources import files
from typing import Any, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from runledger.access.waiting import answer_within
from runledger.analytics.errors import ReadUnavailableError
from runledger.analytics.readings import (
    CostGrouping,
    CostReading,
    FailureGroupReading,
    FailureReading,
    RunCosts,
    RunFound,
    RunReading,
)

_SQL = files("runledger.analytics") / "sql"
_CONNECT_SECONDS = 2
_ANSWER_SECONDS = 7.0
_AnswerT = TypeVar("_AnswerT")
_READ_ONLY = b"SET default_transaction_read_only = on; SET statement_timeout = '5s'"


def _query(name: str) -> bytes:
    return (_SQL / f"{name}.sql").read_bytes()


_RUN = _query("select_run")
_RUN_FAILURES = _query("select_run_failures")
_FAILURE_GROUPS = _query("select_failure_groups")
_RUN_COSTS = _query("select_run_costs")


async def _make_read_only(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    await connection.execute(_READ_ONLY)


class LedgerReader:
    """Read the tables, never write them; every question is about one project and sees nothing of another.

    Use it as an async context manager. A question takes at most seven seconds.

    Args:
        postgres: connection URI.
    """

    def __init__(self, postgres: str) -> None:
        self._pool = AsyncConnectionPool(
            postgres,
            min_size=0,
            max_size=4,
            open=False,
            timeout=_CONNECT_SECONDS,
            check=AsyncConnectionPool.check_connection,
            configure=_make_read_only,
            kwargs={"autocommit": True, "application_name": "runledger-reader", "connect_timeout": _CONNECT_SECONDS},
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._pool.close()

    async def _answer(self, asking: Coroutine[Any, Any, _AnswerT]) -> _AnswerT:
        try:
            return await answer_within(_ANSWER_SECONDS, asking)
        except (psycopg.OperationalError, TimeoutError) as error:
            raise ReadUnavailableError("the ledger's tables cannot be read just now") from error

    async def get_run(self, project_key: str, run_id: UUID) -> RunFound | None:
        """Read one run; None if the project has none of that id.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        return await self._answer(self._get_run({"project_key": project_key, "run_id": run_id}))

    async def _get_run(self, named: dict[str, Any]) -> RunFound | None:
        async with self._pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=class_row(RunReading))
            run = await (await cursor.execute(_RUN, named)).fetchone()
            if run is None:
                return None
            failures = connection.cursor(row_factory=class_row(FailureReading))
            return RunFound(run, await (await failures.execute(_RUN_FAILURES, named)).fetchall())

    async def recent_failures(self, project_key: str, fingerprint: str | None, limit: int) -> list[FailureGroupReading]:
        """Read kinds of failures, the latest first.

        Args:
            project_key: whose.
            fingerprint: one kind; None for any.
            limit: at most so many.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        asked = {"project_key": project_key, "fingerprint": fingerprint, "limit": limit}
        return await self._answer(self._recent_failures(asked))

    async def _recent_failures(self, asked: dict[str, Any]) -> list[FailureGroupReading]:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(FailureGroupReading))
            return await (await cursor.execute(_FAILURE_GROUPS, asked)).fetchall()

    async def run_costs(self, project_key: str, since: datetime, group_by: CostGrouping | None, limit: int) -> RunCosts:
        """Add up what runs used and cost; a run counts when it ended, or was last heard of.

        Args:
            project_key: whose.
            since: runs from then on.
            group_by: agent, day (UTC) or model; runs that used several models are a group of their own. None: total.
            limit: at most so many groups.

        Raises:
            ReadUnavailableError: the database does not answer in time.
        """
        asked = {"project_key": project_key, "since": since, "group_by": group_by, "limit": limit + 1}
        return await self._answer(self._run_costs(asked, limit))

    async def _run_costs(self, asked: dict[str, Any], limit: int) -> RunCosts:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(CostReading))
            total, *groups = await (await cursor.execute(_RUN_COSTS, asked)).fetchall()
            return RunCosts(total, groups[:limit], len(groups) > limit)
