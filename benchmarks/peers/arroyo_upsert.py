"""sentry-arroyo: sums of each batch, added to a keyed table with one psycopg statement, then the offsets.

Arguments: kafka, topic, group, database URI, seconds per batch.
"""

import signal
import sys

import orjson
import psycopg
from arroyo.backends.kafka import KafkaConsumer
from arroyo.backends.kafka.configuration import build_kafka_consumer_configuration
from arroyo.commit import CommitPolicy
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import CommitOffsets, ProcessingStrategyFactory, RunTask
from arroyo.processing.strategies.reduce import Reduce
from arroyo.types import Topic

UPSERT = """
INSERT INTO arroyo_totals AS t (run, tokens, events)
SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) ORDER BY 1
ON CONFLICT (run) DO UPDATE SET tokens = t.tokens + excluded.tokens, events = t.events + excluded.events
"""


def add(totals, message):
    """Add one event to the batch's sums."""
    payload = message.payload
    usage = orjson.loads(payload.value)["data"].get("token_usage")
    total = totals.setdefault(payload.key, [0, 0])
    total[0] += usage["input_tokens"] if usage else 0
    total[1] += 1
    return totals


class Factory(ProcessingStrategyFactory):
    """Makes the chain: reduce, upsert, commit."""

    def __init__(self, connection, batch_seconds):
        self._connection = connection
        self._batch_seconds = batch_seconds

    def create_with_partitions(self, commit, partitions):
        """Make the chain."""
        upsert = RunTask(self._upsert, CommitOffsets(commit))
        return Reduce(5000, self._batch_seconds, add, dict, upsert)

    def _upsert(self, message):
        totals = message.payload
        if totals:
            columns = [key.decode() for key in totals], *map(list, zip(*totals.values(), strict=True))
            self._connection.execute(UPSERT, columns)


kafka, topic, group, database, batch_seconds = sys.argv[1:]
consumer = KafkaConsumer(
    build_kafka_consumer_configuration(
        {}, bootstrap_servers=[kafka], group_id=group, auto_offset_reset="earliest", enable_auto_commit=False
    )
)
with psycopg.connect(database, autocommit=True) as connection:
    factory = Factory(connection, float(batch_seconds))
    processor = StreamProcessor(consumer, Topic(topic), factory, CommitPolicy(1.0, None))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: processor.signal_shutdown())
    processor.run()
