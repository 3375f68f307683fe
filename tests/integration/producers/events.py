"""What stands in run-events."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, Message, TopicPartition

from runledger.schemas.codec import decode_event
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS

_DEADLINE_SECONDS = 30


def read_records(settings: ConnectionSettings) -> list[Message]:
    """Read everything there is now, partition by partition."""
    topic = RUN_EVENTS.name(settings.topic_prefix)
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "reader", "enable.auto.commit": False})
    try:
        partitions = [TopicPartition(topic, partition, 0) for partition in range(settings.partitions)]
        missing = sum(consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in partitions)
        consumer.assign(partitions)
        deadline = time.monotonic() + _DEADLINE_SECONDS
        records: list[Message] = []
        while len(records) < missing:
            assert time.monotonic() < deadline, f"only {len(records)} of {missing} records came"
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                records.append(message)
        return records
    finally:
        consumer.close()


def read_run_events(settings: ConnectionSettings) -> list[AnyRunEvent]:
    """Read every event that is there now; within one run they are in order."""
    return [decode_event(record.value(), record.key()) for record in read_records(settings)]
