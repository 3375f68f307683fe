"""A migrated database, filled by the test."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from runledger.sinks.migrate import migrate
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer
from tests.integration.analytics.tables import Tables
from tests.integration.sinks.conftest import Ledger


@pytest.fixture
def uri(database: str) -> str:
    """URI of a migrated database of the test's own."""
    migrate(database)
    return database


@pytest.fixture
def tables(uri: str) -> Iterator[Tables]:
    """Its tables, to be filled."""
    with psycopg.connect(uri, autocommit=True) as connection:
        yield Tables(connection)


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    """A migrated database of the test's own."""
    migrate(database)
    writer = Writer(SinkSettings(postgres=database))
    with psycopg.connect(database, autocommit=True) as connection:
        yield Ledger(database, connection, writer)
    writer.close()
