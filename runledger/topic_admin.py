"""Create the topics of `runledger.schemas.topics`, and check those that exist."""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
)

from runledger.refusals import Refusals
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS
from runledger.topic_settings import Difference, differences

_TIMEOUT_SECONDS = 30
_POLL_SECONDS = 0.1
NOT_YET_LED = {
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.FENCED_LEADER_EPOCH,
}
"""What a broker answers while a partition has no leader, or has another one than it had a moment ago."""


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
    admin, refusals = _client(settings)
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
    _wait_until_led(admin, counts)
    for name, count in counts.items():
        if count != settings.partitions:
            raise TopicError(
                f"topic {name} has {count} partitions, RUNLEDGER_PARTITIONS says {settings.partitions}; "
                "the number of partitions never changes after creation, so set the variable to what the topics have"
            )


def _client(settings: ConnectionSettings) -> tuple[AdminClient, Refusals]:
    """Make a client whose log is silent: it would repeat each failed attempt; the error says it once."""
    refusals = Refusals()
    told = {"log_level": 0, "error_cb": refusals}
    return AdminClient(kafka_client(settings) | told), refusals  # type: ignore[arg-type]  # a callback too


def mend_topics(settings: ConnectionSettings) -> list[tuple[str, Difference]]:
    """Set what Runledger needs of topics that exist, where they have it otherwise; leave every other setting alone.

    Returns:
        (full name, what was changed), in the order of the table of topics.

    Raises:
        TopicError: the broker does not answer, or does not let us.
    """
    admin, refusals = _client(settings)
    names = {topic: topic.name(settings.topic_prefix) for topic in ALL_TOPICS}
    resources = {topic: ConfigResource(ConfigResource.Type.TOPIC, name) for topic, name in names.items()}
    try:
        told = admin.describe_configs(list(resources.values()), request_timeout=_TIMEOUT_SECONDS)
        facts = admin.describe_topics(TopicCollection(list(names.values())), request_timeout=_TIMEOUT_SECONDS)
        changed = []
        for topic, resource in resources.items():
            config = {entry.name: entry.value for entry in told[resource].result().values()}
            copies = min(len(one.replicas) for one in facts[names[topic]].result().partitions)
            changed += [(names[topic], one) for one in differences(topic, config, copies)]
            for one in differences(topic, config, copies):
                resource.add_incremental_config(
                    ConfigEntry(one.name, one.needed, incremental_operation=AlterConfigOpType.SET)
                )
        wanted = [resource for resource in resources.values() if resource.incremental_configs]
        if wanted:
            for done in admin.incremental_alter_configs(wanted, request_timeout=_TIMEOUT_SECONDS).values():
                done.result()
    except KafkaException as error:
        why = f"{error.args[0].str()}{refusals.words(admin)}"
        raise TopicError(
            f"the topics' settings could not be set: {why} (it takes DescribeConfigs and AlterConfigs on them)"
        ) from error
    return changed


def _partition_counts(admin: AdminClient, names: list[str]) -> dict[str, int]:
    """Wait until the brokers name a leader of every partition: creation returns a moment earlier."""
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


def _wait_until_led(admin: AdminClient, counts: Mapping[str, int]) -> None:
    """Wait until each leader answers for its partitions: it is named a moment before it knows of them itself."""
    wanted = {TopicPartition(name, number): OffsetSpec.latest() for name in counts for number in range(counts[name])}  # type: ignore[no-untyped-call]  # untyped upstream
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while wanted:
        asked = admin.list_offsets(wanted, request_timeout=_TIMEOUT_SECONDS)
        for partition, answer in asked.items():
            try:
                answer.result()
                del wanted[partition]
            except KafkaException as error:
                if error.args[0].code() not in NOT_YET_LED or time.monotonic() > deadline:
                    raise TopicError(
                        f"topic {partition.topic} was created but nobody leads its partition {partition.partition}: "
                        f"{error.args[0].str()}"
                    ) from error
        if wanted:
            time.sleep(_POLL_SECONDS)
