"""Look API keys up, and remember the answer for some seconds."""

from __future__ import annotations

import time
from collections import OrderedDict
from importlib.resources import files

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from runledger.access.errors import BadKeyError, UnavailableError
from runledger.access.keys import ApiKey, Principal, Scope

_FIND_KEY = (files("runledger.access") / "sql" / "find_key.sql").read_bytes()
_REMEMBERED_SECONDS = 5.0
_MOST_REMEMBERED = 10_000
_TIMEOUT_SECONDS = 2.0


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
            timeout=_TIMEOUT_SECONDS,
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True, "application_name": "runledger-keys", "connect_timeout": 2},
        )
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    async def __aenter__(self) -> KeyRing:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._pool.close()

    async def authenticate(self, text: str | None) -> Principal:
        """Say on whose behalf a key speaks.

        Raises:
            BadKeyError: it is missing, malformed, unknown or revoked.
            UnavailableError: the database does not answer.
        """
        if not text:
            raise BadKeyError("an API key is needed: Authorization: Bearer rl.…")
        key = ApiKey.parse(text)
        digest = key.digest().hex()
        remembered = self._known.get(digest)
        if remembered is not None and time.monotonic() < remembered[0] and remembered[1].key_id == key.key_id:
            return remembered[1]
        principal = await self._find(key)
        self._known[digest] = (time.monotonic() + _REMEMBERED_SECONDS, principal)
        self._known.move_to_end(digest)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def _find(self, key: ApiKey) -> Principal:
        try:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(_FIND_KEY, {"key_id": key.key_id})
                row = await cursor.fetchone()
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise UnavailableError("the API keys cannot be looked up just now") from error
        if row is None or not key.matches(row[0]):
            raise BadKeyError("this API key is unknown or revoked")
        scopes: list[Scope] = row[2]
        return Principal(row[1], frozenset(scopes), key.key_id)
