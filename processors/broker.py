"""The broker as the stores of one process see it, and the clients they need."""

from __future__ import annotations

import uuid

from confluent_kafka import KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient

from runledger.processors.reading import PartitionReader
from runledger.processors.settings import ProcessorSettings
from runledger.processors.settings_follower import SettingsFollower
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.topics import DEAD_LETTERS, PARTITIONER, RUN_EVENTS

_TIMEOUT_SECONDS = 30
_LOOK_SECONDS = 3
_RETRY_MS = 5
"""The broker refuses a transaction while it still ends the last one, for a few milliseconds; the default waits 100."""


class Broker:
    """What all stores of a process share: addresses, an admin client, and the name of the group they belong to.

    Args:
        settings: shared by all stores.
        follower: of the settings topic, which no store may fold without; None for stages that have no use for it.
    """

    def __init__(self, settings: ProcessorSettings, follower: SettingsFollower | None = None) -> None:
        self.settings = settings
        self.follower = follower
        self.group = f"{settings.topic_prefix}processors"
        self.admin = AdminClient(kafka_client(settings))

    def answers(self) -> bool:
        """Whether a broker answers, within seconds."""
        try:
            self.admin.list_topics(RUN_EVENTS.name(self.settings.topic_prefix), timeout=_LOOK_SECONDS)
        except KafkaException:
            return False
        return True

    def identify(self, topic: str) -> tuple[str, int]:
        """(topic id, number of partitions): a topic that was deleted and made again has another id."""
        described = self.admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_SECONDS)
        facts = described[topic].result()
        return str(facts.topic_id), len(facts.partitions)

    def reader(self) -> PartitionReader:
        """Make a reader of committed records."""
        committed = "read_committed" not in self.settings.unsafe_disable
        return PartitionReader(self.settings, read_committed=committed)

    def producer(self, transactional_id: str) -> Producer:
        """Make the producer that owns a partition."""
        if "fencing" in self.settings.unsafe_disable:
            transactional_id = f"{transactional_id}-{uuid.uuid4().hex}"
        return Producer(
            {
                **kafka_client(self.settings),
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(self.settings.transaction_timeout_seconds * 1000),
                "linger.ms": 0,
                "retry.backoff.ms": _RETRY_MS,
                "compression.type": "lz4",
                "partitioner": PARTITIONER,
                "message.max.bytes": DEAD_LETTERS.max_message_bytes,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
