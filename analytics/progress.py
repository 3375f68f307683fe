"""What the tables tell of the pipeline itself: how far they have come, and which jobs wait to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runledger.analytics.database import Connection, Database, fetch, query
from runledger.analytics.pipeline import Pipeline, read_pipeline

MOST_JOBS = 10_000


@dataclass(frozen=True, slots=True)
class SinkPosition:
    """How far the sink has written one partition."""

    topic: str
    """Suffix of its name."""
    partition: int
    next_offset: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Outbox:
    """Scoring jobs that wait to be sent."""

    jobs: int
    """Counted up to 10,000."""
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How the tables stand at one moment."""

    pipeline: Pipeline
    positions: list[SinkPosition]
    outbox: Outbox


async def ask_progress(database: Database, topic_prefix: str) -> Progress:
    """Read it, of all projects.

    Args:
        database: the tables to read.
        topic_prefix: with which the ledger's topics begin.

    Raises:
        ReadUnavailableError: the database does not answer in time.
    """

    async def read(connection: Connection) -> Progress:
        pipeline = await read_pipeline(connection)
        positions = await fetch(connection, SinkPosition, query("select_positions"), {"prefix": topic_prefix})
        outbox = await fetch(connection, Outbox, query("select_outbox_age"), {"limit": MOST_JOBS})
        return Progress(pipeline, positions, outbox[0])

    return await database.answer(read)
