"""Positions in Postgres: read, opened once, moved by compare-and-set (law 4).

The position is stored with the rows it speaks of, so a consumer that has lost its partition without knowing it writes
nothing: its compare-and-set is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import orjson
import psycopg

from runledger.schemas.dead_letter_limits import Refusals
from runledger.sinks.errors import PositionConflictError, StopLoudlyError
from runledger.sinks.records import Partition
from runledger.sinks.statements import statement


@dataclass(frozen=True, slots=True)
class Position:
    """How far a partition has been written, and of which topic.

    Args:
        next_offset: first offset not yet written.
        topic_id: id of the topic when it was first read; a recreated topic has another.
        partition_count: partitions of the topic when it was first read.
        refusals: counts of dead letters before it.
    """

    next_offset: int
    topic_id: str
    partition_count: int
    refusals: Refusals = Refusals()  # noqa: RUF009  # frozen


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What the broker says of a partition: the offsets it holds, and its topic's identity."""

    low: int
    high: int
    topic_id: str
    partition_count: int


def check_position(source: Partition, held: Position | None, log: LogFacts) -> Position:
    """Return the position to go on from, or refuse to guess one (law 5).

    Raises:
        StopLoudlyError: there is no position though the log has lost its beginning, the topic was recreated or
            re-partitioned, or the position lies outside the log.
    """
    topic, partition = source
    if held is None:
        if log.low > 0:
            raise StopLoudlyError(
                f"the log begins at {log.low} and no position says what was written before: restore the database, or "
                "insert the position into consumer_offset by hand if the loss is accepted "
                f"(topic_id {log.topic_id}, partition_count {log.partition_count}; docs/backup.md)",
                topic=topic,
                partition=partition,
            )
        return Position(0, log.topic_id, log.partition_count)
    if (held.topic_id, held.partition_count) != (log.topic_id, log.partition_count):
        raise StopLoudlyError(
            f"the topic was recreated or re-partitioned: the position speaks of {held.topic_id} with "
            f"{held.partition_count} partitions, the broker of {log.topic_id} with {log.partition_count}; "
            "these topics need a database of their own (docs/backup.md)",
            topic=topic,
            partition=partition,
        )
    if not log.low <= held.next_offset <= log.high:
        raise StopLoudlyError(
            f"the position is {held.next_offset}, but the log holds {log.low} to {log.high}; "
            "the database is older than the topic's retention, or of another log (docs/backup.md)",
            topic=topic,
            partition=partition,
        )
    return held


def read_positions(connection: psycopg.Connection, sources: Iterable[Partition]) -> dict[Partition, Position]:
    """Read the positions that stand in the database."""
    wanted = orjson.dumps([{"topic": topic, "partition": partition} for topic, partition in sources]).decode()
    found = connection.execute(statement("read_positions"), {"sources": wanted}).fetchall()
    return {
        (topic, partition): Position(next_offset, topic_id, partition_count, Refusals(*counts))
        for topic, partition, next_offset, topic_id, partition_count, *counts in found
    }


def open_positions(connection: psycopg.Connection, positions: Mapping[Partition, Position]) -> None:
    """Insert the positions that do not stand in the database yet; those that do are left alone."""
    opened = [
        {"topic": topic, "partition": partition, **_fields(position)}
        for (topic, partition), position in sorted(positions.items())
    ]
    connection.execute(statement("open_positions"), {"positions": orjson.dumps(opened).decode()})


def _fields(position: Position) -> dict[str, int | str]:
    return {
        "next_offset": position.next_offset,
        "topic_id": position.topic_id,
        "partition_count": position.partition_count,
    }


def advance_positions(
    connection: psycopg.Connection,
    expected: Mapping[Partition, int],
    moves: Mapping[Partition, int],
    refusals: Mapping[Partition, Refusals] | None = None,
    *,
    unchecked: bool = False,
) -> None:
    """Move positions, each from what is expected, inside the caller's transaction.

    Args:
        connection: within the transaction that writes the rows.
        expected: {(topic, partition): next_offset the caller has read from}.
        moves: {(topic, partition): next_offset afterwards}.
        refusals: {(topic, partition): counts of dead letters afterwards}; none where left out.
        unchecked: move whatever stands there; a test's way to show what the comparison is for.

    Raises:
        PositionConflictError: another consumer has moved one of them.
    """
    counts = refusals or {}
    wanted = [
        {"topic": source[0], "partition": source[1], "expected": expected[source], "next_offset": moves[source]}
        | asdict(counts.get(source, Refusals()))
        for source in sorted(moves)
    ]
    parameters = {"moves": orjson.dumps(wanted).decode(), "unchecked": unchecked}
    moved = connection.execute(statement("advance_positions"), parameters).rowcount
    if moved != len(wanted):
        raise PositionConflictError(f"{len(wanted) - moved} of {len(wanted)} positions were moved by another consumer")
