"""Projects and keys in a real database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from runledger.access.errors import AccessError, BadKeyError, NoProjectError, UnavailableError
from runledger.access.keyring import KeyRing
from runledger.access.keys import ApiKey, Principal
from runledger.access.projects import create_key, create_project, list_keys, publish_undecided, rotate_keys
from runledger.sinks.migrate import migrate
from tests.freezing import freezing

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A migrated database with the project acme."""
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connected:
        create_project(connected, "acme")
        yield connected


async def test_a_key_speaks_for_its_project(connection: psycopg.Connection[Any], database: str) -> None:
    key = create_key(connection, "acme", ["read", "emit"], "nightly")
    async with KeyRing(database) as ring:
        principal = await ring.authenticate(key.text())
        assert principal == Principal("acme", frozenset({"emit", "read"}), key.key_id)
        assert await ring.authenticate(key.text()) is principal


async def test_calls_at_once_share_one_look_up(connection: psycopg.Connection[Any], database: str) -> None:
    key, unknown = create_key(connection, "acme", ["emit"]), ApiKey.new()
    async with KeyRing(database) as ring:
        left = asyncio.create_task(ring.authenticate(key.text()))
        asking = [asyncio.create_task(ring.authenticate(key.text())) for _ in range(50)]
        await asyncio.sleep(0)  # each has asked, and none has its answer
        left.cancel()
        found = await asyncio.gather(*asking)
        assert all(principal is found[0] for principal in found)
        refused = await asyncio.gather(*(ring.authenticate(unknown.text()) for _ in range(5)), return_exceptions=True)
        assert [type(error) for error in refused] == [BadKeyError] * 5


async def test_a_refusal_is_not_remembered(connection: psycopg.Connection[Any], database: str) -> None:
    key = create_key(connection, "acme", ["emit"])
    connection.execute("UPDATE api_key SET revoked_at = now()")
    async with KeyRing(database) as ring:
        with pytest.raises(BadKeyError):
            await ring.authenticate(key.text())
        connection.execute("UPDATE api_key SET revoked_at = NULL")
        assert (await ring.authenticate(key.text())).key_id == key.key_id


async def test_neither_a_wrong_secret_nor_another_keys_id_gets_in(
    connection: psycopg.Connection[Any], database: str
) -> None:
    key, other = create_key(connection, "acme", ["emit"]), create_key(connection, "acme", ["admin"])
    async with KeyRing(database) as ring:
        await ring.authenticate(key.text())
        for wrong in (ApiKey(key.key_id, "guess"), ApiKey(other.key_id, key.secret), ApiKey.new()):
            with pytest.raises(BadKeyError):
                await ring.authenticate(wrong.text())
        with pytest.raises(BadKeyError):
            await ring.authenticate(None)


async def test_rotated_keys_stop_working_after_their_grace(connection: psycopg.Connection[Any], database: str) -> None:
    key = create_key(connection, "acme", ["emit"], "nightly")
    ((old, new),) = rotate_keys(connection, "acme", grace=timedelta(hours=1))
    assert (old.key_id, old.label) == (key.key_id, "nightly")
    async with KeyRing(database) as ring:
        assert (await ring.authenticate(key.text())).project_key == "acme"
        assert (await ring.authenticate(new.text())).scopes == {"emit"}
    ((_, newest),) = rotate_keys(connection, "acme")
    async with KeyRing(database) as ring:
        assert (await ring.authenticate(newest.text())).project_key == "acme"
        with pytest.raises(BadKeyError):
            await ring.authenticate(new.text())


async def test_rotating_again_cuts_an_earlier_grace_short(connection: psycopg.Connection[Any], database: str) -> None:
    key = create_key(connection, "acme", ["emit"])
    ((_, second),) = rotate_keys(connection, "acme", grace=timedelta(hours=72))
    ((_, third),) = rotate_keys(connection, "acme", grace=timedelta(hours=1))
    async with KeyRing(database) as ring:
        for living in (key, second, third):
            await ring.authenticate(living.text())
    assert len(rotate_keys(connection, "acme")) == 1
    async with KeyRing(database) as ring:
        for dead in (key, second, third):
            with pytest.raises(BadKeyError):
                await ring.authenticate(dead.text())


def test_only_hashes_are_stored(connection: psycopg.Connection[Any]) -> None:
    key = create_key(connection, "acme", ["emit"])
    rows = connection.execute("SELECT key_hash FROM api_key").fetchall()
    assert rows == [(key.digest(),)]
    assert [info.key_id for info in list_keys(connection)] == [key.key_id, None]


def test_mistakes_are_named(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(AccessError, match="no project key"):
        create_project(connection, "Acme Inc.")
    with pytest.raises(NoProjectError, match="there is no project"):
        create_key(connection, "nobody", ["emit"])
    with pytest.raises(NoProjectError, match="no living key"):
        rotate_keys(connection, "acme")
    assert not create_project(connection, "acme")


async def test_a_database_that_is_away_is_said_so_within_seconds() -> None:
    async with KeyRing("postgresql://postgres@127.0.0.1:1/none") as ring:
        with pytest.raises(UnavailableError):
            await ring.authenticate(ApiKey.new().text())


async def test_a_database_without_tables_is_not_the_callers_fault(database: str) -> None:
    async with KeyRing(database) as ring:
        with pytest.raises(UnavailableError):
            await ring.authenticate(ApiKey.new().text())


async def test_a_database_that_hangs_is_said_so_within_two_seconds(
    connection: psycopg.Connection[Any], database: str
) -> None:
    key = create_key(connection, "acme", ["emit"])
    async with freezing(database) as (uri, proxy), KeyRing(uri) as ring:
        await ring.authenticate(key.text())
        proxy.freeze()
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            await ring.authenticate(ApiKey.new().text())
        assert time.monotonic() - began < 2


def test_a_project_is_published_unless_somebody_has_decided(connection: psycopg.Connection[Any]) -> None:
    create_project(connection, "other")
    connection.execute("UPDATE project SET is_public = false WHERE project_key = 'other'")
    published = [publish_undecided(connection, project_key) for project_key in ("acme", "acme", "other", "nowhere")]
    assert published == [True, False, False, False]
    public = connection.execute("SELECT project_key FROM project WHERE is_public").fetchall()
    assert public == [("acme",)]
