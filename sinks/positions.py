"""Where to go on reading: Postgres says it, the broker must not contradict."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from runledger.sinks.offsets import LogFacts, Position, check_position
from runledger.sinks.records import Partition
from runledger.sinks.writer import Writer

_TIMEOUT_SECONDS = 10


def find_positions(
    sources: Iterable[Partition], writer: Writer, admin: AdminClient, consumer: Consumer
) -> dict[Partition, Position]:
    """Return {(topic, partition): where it stands}; positions of partitions never read before are opened.

    Raises:
        StopLoudlyError: a position is missing, outside the log, or of another topic.
        psycopg.Error: the database cannot be asked.
        KafkaException: the broker cannot be asked.
    """
    wanted = sorted(sources)
    topics = sorted({topic for topic, _ in wanted})
    described = admin.describe_topics(TopicCollection(topics), request_timeout=_TIMEOUT_SECONDS)
    identities = {topic: described[topic].result() for topic in topics}
    held = writer.read_positions(wanted)
    positions = {}
    for topic, partition in wanted:
        low, high = _bounds(consumer, TopicPartition(topic, partition))
        identity = identities[topic]
        log = LogFacts(low, high, str(identity.topic_id), len(identity.partitions))
        positions[topic, partition] = check_position((topic, partition), held.get((topic, partition)), log)
    opened = {source: position for source, position in positions.items() if source not in held}
    if opened:
        writer.open_positions(opened)
    return positions


def _bounds(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """(first offset held, end of the log).

    That nobody led a partition, as for a moment after its topic was made, the client remembers for a quarter of an
    hour, unless it is asked for the topic.
    """
    try:
        low, high = consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._UNKNOWN_PARTITION:
            raise
        consumer.list_topics(place.topic, timeout=_TIMEOUT_SECONDS)
        low, high = consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS)
    return low, high
