"""Ask a broker as an administrator does; what it refuses is `Unseen`, with the right that is missing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from runledger.doctor.broker_facts import Bounds, Partition, PartitionFacts, TopicFacts
from runledger.doctor.facts import Unseen
from runledger.doctor.seeing.reaching import Complaints
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings

_MOST_SECONDS = 5.0
_FORBIDDEN = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
_NO_TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""Of brokers that know no ids of topics."""


class Clock:
    """How much time is left.

    Args:
        seconds: in all.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._share = min(_MOST_SECONDS, seconds / 3)

    @property
    def left(self) -> float:
        """Seconds; never less than a tenth, so that a question may still be asked and refused."""
        return max(0.1, self._end - time.monotonic())

    @property
    def one_question(self) -> float:
        """Seconds that one question may take."""
        return min(self._share, self.left)


def unseen(error: KafkaException, what: str, right: str) -> Unseen:
    """Say why a question was not answered.

    Args:
        error: what the broker or the client said.
        what: what was asked for.
        right: what the broker's ACLs would have to allow.
    """
    cause = error.args[0]
    if cause.code() in _FORBIDDEN:
        return Unseen(f"the broker does not let us see {what}", f"allow {right} (docs/security.md)")
    return Unseen(f"the broker does not tell {what}: {cause.str()}", "look again; see the broker's log if it stays so")


class Kafka:
    """An administrator's questions, each bounded in time. All of them may raise KafkaException.

    Args:
        settings: where the broker is.
        clock: how much time is left.
    """

    def __init__(self, settings: ConnectionSettings, clock: Clock) -> None:
        self.complaints = Complaints()
        self._clock = clock
        told = {"log_level": 0, "error_cb": self.complaints, "client.id": "runledger-doctor"}
        self._admin = AdminClient(kafka_client(settings) | told)  # type: ignore[arg-type]  # a callback too

    def nodes(self) -> dict[int, str]:
        """{number of a broker: the address by which it wants to be found}, as the first that answers knows them."""
        try:
            brokers = self._admin.list_topics(timeout=self._clock.one_question).brokers
        finally:
            self._admin.poll(0)  # complaints are told here
        return {number: f"{node.host}:{node.port}" for number, node in brokers.items()}

    def broker_settings(self, number: int) -> dict[str, str]:
        """Settings of one broker."""
        return self._settings(ResourceType.BROKER, [str(number)])[str(number)]

    def topic_settings(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """{topic: its settings in force}."""
        return self._settings(ResourceType.TOPIC, names)

    def _settings(self, kind: ResourceType, names: Iterable[str]) -> dict[str, dict[str, str]]:
        asked = self._admin.describe_configs(
            [ConfigResource(kind, name) for name in names], request_timeout=self._clock.one_question
        )
        return {
            resource.name: {entry.name: entry.value for entry in answer.result().values() if entry.value is not None}
            for resource, answer in asked.items()
        }

    def topics(self, names: Iterable[str]) -> dict[str, TopicFacts]:
        """{topic: its facts}; one that is not there has no partitions."""
        asked = self._admin.describe_topics(TopicCollection(list(names)), request_timeout=self._clock.one_question)
        return {name: self._topic(name, answer) for name, answer in asked.items()}

    @staticmethod
    def _topic(name: str, answer: object) -> TopicFacts:
        try:
            found = answer.result()  # type: ignore[attr-defined]  # a future of the library's
        except KafkaException as error:
            code = error.args[0].code()
            if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return TopicFacts(name)
            if code in _FORBIDDEN:
                return TopicFacts(name, forbidden=True)
            raise
        partitions = tuple(
            PartitionFacts(one.id, -1 if one.leader is None else one.leader.id, len(one.replicas), len(one.isr))
            for one in found.partitions
        )
        topic_id = str(found.topic_id)
        return TopicFacts(name, "" if topic_id == _NO_TOPIC_ID else topic_id, partitions)

    def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, Bounds]:
        """{partition: what it holds}; an open transaction's records are in it."""
        wanted = list(partitions)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped upstream
        low = self._offsets(wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # as above
        high = self._offsets(wanted, latest)
        stable = self._offsets(wanted, latest, IsolationLevel.READ_COMMITTED)
        return {one: Bounds(low[one][0], high[one][0], min(stable[one][0], high[one][0])) for one in wanted}

    def newest(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """{partition: (offset, log time in ms) of its newest record}; of empty ones both are -1."""
        return self._offsets(list(partitions), OffsetSpec.max_timestamp())  # type: ignore[no-untyped-call]  # as above

    def _offsets(
        self, partitions: list[Partition], spec: OffsetSpec, isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED
    ) -> dict[Partition, tuple[int, int]]:
        asked = self._admin.list_offsets(
            {TopicPartition(*one): spec for one in partitions},
            isolation_level=isolation,
            request_timeout=self._clock.one_question,
        )
        found = {(place.topic, place.partition): answer.result() for place, answer in asked.items()}
        return {one: (found[one].offset, found[one].timestamp) for one in partitions}

    def members(self, group: str) -> tuple[str, int]:
        """(state, number of members) of a consumer group; one that nobody ever joined is Dead."""
        for found in self._admin.list_groups(group, timeout=self._clock.one_question):
            if found.id == group:
                if found.error is not None:
                    raise KafkaException(found.error)
                return found.state, len(found.members)
        return "Dead", 0


def settings_of(config: Mapping[str, str], name: str, default: int) -> int:
    """Read a number among a broker's settings."""
    try:
        return int(config.get(name, default))
    except ValueError:
        return default
