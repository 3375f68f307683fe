"""Create the topics of `runledger.schemas.topics`, and check those that exist."""

from __future__ import annotations

import time

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # exported at run time

from runledger.refusals import Refusals
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS

_TIMEOUT_SECONDS = 30
_POLL_SECONDS = 0.1


class TopicError(Exception):
    """A topic could not be created, or stands with another number of partitions than configured."""


def ensure_topics(settings: ConnectionSettings, replication_factor: int = -1) -> None:
    """Create every missing topic; leave what exists as it is.

    Args:
        settings: where the broker is, the topics' prefix and their number of partitions.
        replication_factor: copies of each partition; -1 leaves it to the broker.

    Raises:
        TopicError: creation failed, or a topic has another number of partitions than `settings.partitions`: keys would
            move between partitions, so that number is chosen once.
    """
    # Its log would repeat each failed attempt, twenty times a second; the error says it once.
    refusals = Refusals()
    told = {"log_level": 0, "error_cb": refusals}
    admin = AdminClient(kafka_client(settings) | told)  # type: ignore[arg-type]  # a callback too
    wanted = [
        NewTopic(topic.name(settings.topic_prefix), settings.partitions, replication_factor, config=topic.config())
        for topic in ALL_TOPICS
    ]
    for name, created in admin.create_topics(wanted, request_timeout=_TIMEOUT_SECONDS).items():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                why = f"{error.args[0].str()}{refusals.words(admin)}"
                raise TopicError(f"topic {name} could not be created: {why}") from error
    counts = _partition_counts(admin, [topic.topic for topic in wanted])
    for name, count in counts.items():
        if count != settings.partitions:
            raise TopicError(
                f"topic {name} has {count} partitions, RUNLEDGER_PARTITIONS says {settings.partitions}; "
                "the number of partitions never changes after creation, so set the variable to what the topics have"
            )


def _partition_counts(admin: AdminClient, names: list[str]) -> dict[str, int]:
    """Wait until the brokers know every topic and a leader of each partition: creation returns a moment earlier."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        existing = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        counts = {
            name: len(existing[name].partitions)
            for name in names
            if name in existing and all(part.leader >= 0 for part in existing[name].partitions.values())
        }
        if missing := [name for name in names if not counts.get(name)]:
            if time.monotonic() > deadline:
                raise TopicError(f"topic {missing[0]} was created but no broker leads it")
            time.sleep(_POLL_SECONDS)
        else:
            return counts
