"""A migrated database, and a writer on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.sinks.batch import fold
from runledger.sinks.migrate import migrate
from runledger.sinks.offsets import Position
from runledger.sinks.records import Record
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer


@dataclass(slots=True)
class Ledger:
    """A database with the ledger's tables, and a writer on it."""

    uri: str
    connection: psycopg.Connection
    writer: Writer

    def write(self, records: Sequence[Record]) -> None:
        """Write records from wherever the positions stand, as the consumer does."""
        batch = fold(records, DEFAULT_RUBRIC)
        held = self.writer.read_positions(batch.moves)
        self.writer.open_positions({source: Position(0, "topic-id", 4) for source in batch.moves if source not in held})
        expected = {source: held[source].next_offset if source in held else 0 for source in batch.moves}
        self.writer.write(batch, expected)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.connection.execute(query.encode(), parameters).fetchall()


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    """A migrated database of the test's own."""
    migrate(database)
    writer = Writer(SinkSettings(postgres=database))
    with psycopg.connect(database, autocommit=True) as connection:
        yield Ledger(database, connection, writer)
    writer.close()
