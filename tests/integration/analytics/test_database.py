"""What the readers' connections may do, and how long they wait."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from runledger.analytics.database import Connection, Database
from runledger.analytics.errors import ReadUnavailableError
from tests.freezing import freezing

pytestmark = pytest.mark.integration


async def _value(database: Database, sql: bytes) -> Any:  # noqa: ANN401  # whatever the column holds
    async def ask(connection: Connection) -> Any:  # noqa: ANN401
        row = await (await connection.execute(sql)).fetchone()
        return None if row is None else row[0]

    return await database.answer(ask)


async def test_it_reads_the_ledger(uri: str) -> None:
    async with Database(uri) as database:
        assert await _value(database, b"SELECT count(*) FROM agent_run") == 0


@pytest.mark.parametrize(
    "sql",
    [
        b"INSERT INTO project (project_key) VALUES ('x')",
        b"SET TRANSACTION READ WRITE; INSERT INTO project (project_key) VALUES ('x')",
        b"SELECT key_hash FROM api_key",
        b"SELECT secret FROM webhook",
    ],
    ids=["write", "write-after-asking", "keys", "webhook-secrets"],
)
async def test_it_may_neither_write_nor_read_secrets(uri: str, sql: bytes) -> None:
    async with Database(uri) as database:
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            await _value(database, sql)


async def test_what_is_asked_together_is_true_of_one_moment(uri: str) -> None:
    async def ask(connection: Connection) -> tuple[object, object]:
        first = await (await connection.execute("SELECT count(*) FROM project")).fetchone()
        with psycopg.connect(uri, autocommit=True) as writing:
            writing.execute("INSERT INTO project (project_key) VALUES ('meanwhile')")
        return first, await (await connection.execute("SELECT count(*) FROM project")).fetchone()

    async with Database(uri) as database:
        first, second = await database.answer(ask)
    assert first == second


async def test_a_statement_that_takes_too_long_is_ended(uri: str) -> None:
    began = time.monotonic()
    async with Database(uri) as database:
        with pytest.raises(ReadUnavailableError):
            await _value(database, b"SELECT pg_sleep(60)")
    assert 4 < time.monotonic() - began < 8


@pytest.fixture
def stranger(database: str) -> Iterator[str]:
    """URI by which a user may log in who may not become the reading role."""
    name = f"stranger_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'stranger'".encode())
        yield psycopg.conninfo.make_conninfo(database, user=name, password="stranger")  # noqa: S106  # for this test
        connection.execute(f"DROP ROLE {name}".encode())


async def test_a_user_who_may_not_become_the_reading_role_hears_why(stranger: str) -> None:
    async with Database(stranger) as database:
        with pytest.raises(ReadUnavailableError, match="runledger migrate"):
            await _value(database, b"SELECT 1")


async def test_a_database_that_is_away_is_said_so() -> None:
    async with Database("postgresql://postgres@127.0.0.1:1/none") as database:
        with pytest.raises(ReadUnavailableError, match="just now"):
            await _value(database, b"SELECT 1")


async def test_a_database_that_hangs_is_said_so_within_the_promised_seconds(uri: str) -> None:
    async with freezing(uri) as (through, proxy), Database(through) as database:
        assert await _value(database, b"SELECT 1") == 1
        proxy.freeze()
        began = time.monotonic()
        with pytest.raises(ReadUnavailableError):
            await _value(database, b"SELECT 1")
        assert time.monotonic() - began < 8
