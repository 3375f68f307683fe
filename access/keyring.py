"""Look API keys up, and remember the answer for some seconds."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from functools import partial
from importlib.resources import files
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from runledger.access.errors import BadKeyError, UnavailableError
from runledger.access.keys import ApiKey, Principal, Scope
from runledger.access.waiting import answer_within

_FIND_KEY = (files("runledger.access") / "sql" / "find_key.sql").read_bytes()
_REMEMBERED_SECONDS = 5.0
_MOST_REMEMBERED = 10_000
_LOG = structlog.get_logger()
_Known: TypeAlias = tuple[UUID, bytes]
"""A key's id, and its secret's hash."""
_ANSWER_SECONDS = 1.4
"""A door answers within two seconds (docs/http.md, docs/mcp.md), the broker's part included."""


class KeyRing:
    """The living API keys, as the database has them.

    A key that was revoked may work for five more seconds. Use it as an async context manager.

    Args:
        postgres: connection URI.
    """

    def __init__(self, postgres: str) -> None:
        self._pool = AsyncConnectionPool(
            postgres,
            min_size=0,
            max_size=4,
            open=False,
            timeout=_ANSWER_SECONDS,
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True, "application_name": "runledger-keys", "connect_timeout": 2},
        )
        self._known: OrderedDict[_Known, tuple[float, Principal]] = OrderedDict()
        self._asking: dict[_Known, asyncio.Task[Principal]] = {}

    async def __aenter__(self) -> KeyRing:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._pool.close()

    async def authenticate(self, text: str | None) -> Principal:
        """Say on whose behalf a key speaks.

        Raises:
            BadKeyError: it is missing, malformed, unknown or revoked.
            UnavailableError: the database does not answer within 1.4 seconds.
        """
        if not text:
            raise BadKeyError("an API key is needed: Authorization: Bearer rl.…")
        key = ApiKey.parse(text)
        known = (key.key_id, key.digest())
        remembered = self._known.get(known)
        if remembered is not None and time.monotonic() < remembered[0]:
            return remembered[1]
        # One question for all calls that wait for the same answer: sixty at once would wait for four connections.
        if (asking := self._asking.get(known)) is None:
            asking = self._asking[known] = asyncio.create_task(self._ask(key, known))
            asking.add_done_callback(partial(self._forget, known))
        return await asyncio.shield(asking)

    async def _ask(self, key: ApiKey, known: _Known) -> Principal:
        asked_at = time.monotonic()  # what the database answers may be as old as the question
        principal = await self._find(key)
        self._known[known] = (asked_at + _REMEMBERED_SECONDS, principal)
        self._known.move_to_end(known)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return principal

    def _forget(self, known: _Known, asked: asyncio.Task[Principal]) -> None:
        del self._asking[known]
        if not asked.cancelled():
            asked.exception()  # looked at, so that asyncio does not complain where every caller has left

    async def _find(self, key: ApiKey) -> Principal:
        try:
            row = await answer_within(_ANSWER_SECONDS, self._look_up(key.key_id))
        except (psycopg.Error, TimeoutError) as error:
            # Whatever it is, tables that are missing too: who calls is not to blame, and may be right in a moment.
            _LOG.warning("keys_unavailable", error=type(error).__name__)
            raise UnavailableError("the API keys cannot be looked up just now") from error
        if row is None or not key.matches(row[0]):
            raise BadKeyError("this API key is unknown or revoked")
        scopes: list[Scope] = row[2]
        return Principal(row[1], frozenset(scopes), key.key_id)

    async def _look_up(self, key_id: UUID) -> tuple[Any, ...] | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_FIND_KEY, {"key_id": key_id})
            return await cursor.fetchone()
