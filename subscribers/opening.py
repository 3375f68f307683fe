"""Kafka consumers for subscriptions: where they begin, and what they must not join."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.subscribers.errors import SubscriptionError

Start: TypeAlias = Literal["beginning", "latest"] | datetime
ANSWER_SECONDS = 10.0
_RETRY_SECONDS = 0.1
_PIPELINE_GROUPS = ("processors", "sink", "scoring")


def new_consumer(settings: ConnectionSettings, group: str | None, start: Start) -> Consumer:
    """Make a consumer that sees committed records only.

    Raises:
        ValueError: the group is one of the pipeline's own, whose records it would take away.
    """
    if group in {settings.topic_prefix + name for name in _PIPELINE_GROUPS}:
        raise ValueError(f"{group} is a group of the pipeline itself; choose another name")
    return Consumer(
        {
            **kafka_client(settings),
            "client.id": "runledger-subscriber",
            "group.id": group or f"{settings.topic_prefix}subscriber-{uuid.uuid4()}",
            "isolation.level": "read_committed",
            "enable.auto.commit": group is not None,
            "auto.commit.interval.ms": 1000,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "latest" if start == "latest" else "earliest",
            "log_level": 2,
        }
    )


def partitions_of(consumer: Consumer, topic: str) -> list[int]:
    """Ask for a topic's partitions.

    Raises:
        SubscriptionError: Kafka does not answer, or has no such topic.
    """
    try:
        found = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
    except KafkaException as error:
        raise SubscriptionError(f"Kafka does not answer: {error.args[0].str()}") from error
    if found.error is not None:
        raise SubscriptionError(f"{topic} cannot be read: {found.error.str()}")
    return sorted(found.partitions)


def ends_of(consumer: Consumer, topic: str, partitions: Sequence[int]) -> dict[int, int]:
    """Ask where each partition ends now: {partition: next offset}.

    Raises:
        SubscriptionError: Kafka does not answer.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    return {partition: _end_of(consumer, TopicPartition(topic, partition), deadline) for partition in partitions}


def _end_of(consumer: Consumer, partition: TopicPartition, deadline: float) -> int:
    """Ask until the deadline: a topic just made has no leader for a moment."""
    while True:
        try:
            return int(consumer.get_watermark_offsets(partition, timeout=ANSWER_SECONDS)[1])
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise SubscriptionError(f"Kafka does not answer: {error.args[0].str()}") from error
            consumer.poll(_RETRY_SECONDS)


def starts_of(
    consumer: Consumer, topic: str, partitions: Sequence[int], start: Start, ends: dict[int, int]
) -> list[TopicPartition]:
    """Resolve where to begin, now and not at the first fetch: what is written from now on belongs to "latest".

    Raises:
        SubscriptionError: Kafka does not answer.
    """
    if start == "latest":
        return [TopicPartition(topic, partition, ends[partition]) for partition in partitions]
    if not isinstance(start, datetime):
        return [TopicPartition(topic, partition, 0) for partition in partitions]
    since_ms = max(0, int(start.timestamp() * 1000))  # below stand Kafka's words for the log's beginning and end
    wanted = [TopicPartition(topic, partition, since_ms) for partition in partitions]
    try:
        found = consumer.offsets_for_times(wanted, timeout=ANSWER_SECONDS)
    except KafkaException as error:
        raise SubscriptionError(f"Kafka does not answer: {error.args[0].str()}") from error
    for at in found:
        if at.error is not None:  # without its offset it would be read from the beginning
            raise SubscriptionError(f"{topic}[{at.partition}] does not tell where it stood then: {at.error.str()}")
    return [
        TopicPartition(topic, at.partition, ends[at.partition] if at.offset in {-1, OFFSET_END} else at.offset)
        for at in found
    ]
