"""How much room records and rows take: in the topics as stored, in the tables, in the write-ahead log."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from psycopg import sql

from benchmarks.errors import TooSlowError
from benchmarks.servers import Corner
from runledger.schemas.topics import AGENTS, RUN_EVENTS, RUN_LOG, RUN_OUTCOMES, RUNS, SCORING_JOBS

TOPICS = (RUN_EVENTS, RUNS, RUN_OUTCOMES, AGENTS, RUN_LOG, SCORING_JOBS)
TABLES = ("run_event", "agent_run", "agent_run_log", "scoring_outbox", "run_rollup")
_TAKEN = """
SELECT pg_total_relation_size({table}::regclass)
    + coalesce((SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = {table}::regclass), 0)
"""
_STATISTICS_MS = 200
_TIMEOUT_SECONDS = 60
_BLOCK_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Volume:
    """What a topic holds.

    Args:
        records: that a reader gets.
        plain_bytes: their keys and values.
        stored_bytes: what the broker sent for them: its batches as they stand on disk.
        per_second: records a second that one librdkafka consumer took, doing nothing with them, from its first ones on.
    """

    records: int
    plain_bytes: int
    stored_bytes: int
    per_second: int

    def per_record(self) -> dict[str, float]:
        """The same for each record."""
        held = max(1, self.records)
        return {
            "records": self.records,
            "plain_bytes": round(self.plain_bytes / held, 1),
            "stored_bytes": round(self.stored_bytes / held, 1),
        }


def topic_volume(kafka: str, topic: str) -> Volume:
    """Read a topic from its beginning to its end.

    Raises:
        TooSlowError: the end was not reached in a minute.
    """
    received = 0

    def told(document: str) -> None:
        nonlocal received
        received = received_bytes(document)

    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": f"bench-volume-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 5,  # of a full queue, which holds 100,000 records; the default is a second
            "statistics.interval.ms": _STATISTICS_MS,
            "stats_cb": told,
        }
    )
    try:
        count = len(consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions)
        began, first = time.monotonic(), 0.0
        consumer.assign([TopicPartition(topic, number, 0) for number in range(count)])
        records, plain, ended = 0, 0, 0
        while ended < count:
            block = consumer.consume(_BLOCK_RECORDS, 0.2)
            first = first or (time.monotonic() if block else 0.0)
            for message in block:
                error = message.error()
                if error is None:
                    records += 1
                    plain += len(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended += 1
                else:
                    raise KafkaException(error)
            if time.monotonic() - began > _TIMEOUT_SECONDS:
                raise TooSlowError(f"{topic} was not read within {_TIMEOUT_SECONDS} s")
        seconds = time.monotonic() - first
        consumer.poll(2 * _STATISTICS_MS / 1000)  # the statistics that count the last answers
    finally:
        consumer.close()
    return Volume(records, plain, received, round(records / seconds))


def received_bytes(statistics: str) -> int:
    """Bytes that came from the brokers, out of librdkafka's statistics."""
    return sum(broker["rxbytes"] for broker in orjson.loads(statistics)["brokers"].values())


def topics_volume(corner: Corner) -> dict[str, Volume]:
    """What each topic holds, by its name without prefix."""
    prefix = corner.settings.topic_prefix
    return {topic.suffix: topic_volume(corner.kafka, topic.name(prefix)) for topic in TOPICS}


def wal_position(connection: psycopg.Connection) -> int:
    """Bytes of write-ahead log that the server has ever written."""
    row = connection.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')").fetchone()
    return 0 if row is None else int(row[0])


def tables_volume(connection: psycopg.Connection) -> dict[str, dict[str, Any]]:
    """{table: rows, and bytes of each with its indexes}; a partitioned table with all of its partitions.

    Packed first: updates leave room behind them that later rows take.
    """
    connection.execute(sql.SQL("VACUUM FULL {}").format(sql.SQL(", ").join(map(sql.Identifier, TABLES[1:]))))
    found: dict[str, dict[str, Any]] = {}
    for table in TABLES:
        rows = _number(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        taken = _number(connection, sql.SQL(_TAKEN).format(table=sql.Literal(table)))
        found[table] = {"rows": rows, "bytes_per_row": round(taken / max(1, rows))}
    return found


def _number(connection: psycopg.Connection, query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0] or 0)
