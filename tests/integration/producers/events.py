"""What stands in run-events."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from runledger.schemas.codec import decode_event
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS

_DEADLINE_SECONDS = 30


def read_records(settings: ConnectionSettings) -> list[Message]:
    """Read everything there is now, partition by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": "reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        topic = RUN_EVENTS.name(settings.topic_prefix)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(settings.partitions)])
        deadline = time.monotonic() + _DEADLINE_SECONDS
        records: list[Message] = []
        read_to_the_end: set[int | None] = set()
        while len(read_to_the_end) < settings.partitions:
            assert time.monotonic() < deadline, f"only {len(read_to_the_end)} partitions could be read"
            message = consumer.poll(0.2)
            if message is None:
                continue
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                read_to_the_end.add(message.partition())
        return records
    finally:
        consumer.close()


def read_run_events(settings: ConnectionSettings) -> list[AnyRunEvent]:
    """Read every event that is there now; within one run they are in order."""
    return [decode_event(record.value(), record.key()) for record in read_records(settings)]
