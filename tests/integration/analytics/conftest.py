"""A migrated database, filled by the test."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from runledger.sinks.migrate import migrate
from tests.integration.analytics.tables import Tables


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
