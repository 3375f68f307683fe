"""Look at the broker: where its logs end, and where the groups of our workers stand. Nothing joins a group."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # exported at run time

from runledger.analytics.dashboard.backstage import BrokerLook, Partition
from runledger.analytics.dashboard.glimpses import LookError
from runledger.refusals import Refusals
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS, RUN_EVENTS, RUN_OUTCOMES, SCORING_JOBS, Topic
from runledger.stack.plan import consumer_groups
from runledger.topic_admin import NOT_YET_LED

_LOOK_SECONDS = 4.0
_LEAST_SECONDS = 0.2
_AGAIN_SECONDS = 0.1
"""Where a partition's leader is changing, the next look asks the next one."""
_READ_BY_GROUP: Mapping[str, tuple[Topic, ...]] = {
    "processor": (RUN_EVENTS, RUN_OUTCOMES),
    "scorer": (SCORING_JOBS,),
}
"""What workers read whose positions the broker keeps; the sink's are in the tables."""
_FORBIDDEN = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}


class BrokerEye:
    """Looks at the broker; connects at the first look and keeps its connections. For one thread at a time.

    Args:
        settings: where it is, and the topics' prefix.
        seconds: a look takes no longer.
    """

    def __init__(self, settings: ConnectionSettings, seconds: float = _LOOK_SECONDS) -> None:
        self._settings = settings
        self._seconds = seconds
        self._refusals = Refusals()
        self._admin: AdminClient | None = None
        self._onlookers: dict[str, Consumer] = {}

    def look(self) -> BrokerLook:
        """Look at all topics and groups.

        Raises:
            LookError: the broker does not tell, or not in time.
        """
        end = time.monotonic() + self._seconds
        while True:
            try:
                return self._look(self._connected(), end)
            except KafkaException as error:
                if error.args[0].code() not in NOT_YET_LED or time.monotonic() + _AGAIN_SECONDS > end:
                    raise self._refusal(error.args[0]) from error
            time.sleep(_AGAIN_SECONDS)

    def _connected(self) -> AdminClient:
        if self._admin is None:
            told = {"log_level": 0, "error_cb": self._refusals, "client.id": "runledger-dashboard"}
            self._admin = AdminClient(kafka_client(self._settings) | told)  # type: ignore[arg-type]  # a callback too
        return self._admin

    def _look(self, admin: AdminClient, end: float) -> BrokerLook:
        names = {topic.name(self._settings.topic_prefix): topic.suffix for topic in ALL_TOPICS}
        there = self._partitions(admin, names, end)
        ends = self._offsets(admin, there, OffsetSpec.latest(), end)  # type: ignore[no-untyped-call]  # untyped upstream
        begins = self._offsets(admin, there, OffsetSpec.earliest(), end)  # type: ignore[no-untyped-call]  # as above
        stands, members = {}, {}
        for worker, group in consumer_groups(self._settings.topic_prefix).items():
            members[worker] = self._members(admin, group, end)
            sources = {topic.name(self._settings.topic_prefix) for topic in _READ_BY_GROUP.get(worker, ())}
            wanted = [source for source in there if source[0] in sources]
            if wanted:
                stands[worker] = _short(self._committed(group, wanted, end), names)
        return BrokerLook(_short(ends, names), _short(begins, names), stands, members)

    @staticmethod
    def _partitions(admin: AdminClient, names: Iterable[str], end: float) -> list[Partition]:
        known = admin.list_topics(timeout=_left(end)).topics
        there = {name: known[name].partitions for name in names if name in known and known[name].error is None}
        return [(name, number) for name, partitions in there.items() for number in partitions]

    @staticmethod
    def _offsets(
        admin: AdminClient, partitions: Iterable[Partition], spec: OffsetSpec, end: float
    ) -> dict[Partition, int]:
        wanted = {TopicPartition(*one): spec for one in partitions}
        if not wanted:
            return {}
        asked = admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_left(end))
        return {(place.topic, place.partition): answer.result().offset for place, answer in asked.items()}

    @staticmethod
    def _members(admin: AdminClient, group: str, end: float) -> int:
        for found in admin.list_groups(group, timeout=_left(end)):
            if found.id == group:
                if found.error is not None:
                    raise KafkaException(found.error)
                return len(found.members)
        return 0

    def _committed(self, group: str, partitions: list[Partition], end: float) -> dict[Partition, int]:
        """Ask as a member would ask: the admin client's own question aborts the process when the broker goes away."""
        if group not in self._onlookers:
            self._onlookers[group] = Consumer(
                {
                    **kafka_client(self._settings),
                    "group.id": group,
                    "client.id": "runledger-dashboard",
                    "enable.auto.commit": False,
                    "log_level": 0,
                }
            )
        held = self._onlookers[group].committed([TopicPartition(*one) for one in partitions], timeout=_left(end))
        for one in held:
            if one.error is not None:
                raise KafkaException(one.error)
        return {(one.topic, one.partition): one.offset for one in held if one.offset >= 0}

    def _refusal(self, error: KafkaError) -> LookError:
        if error.code() in _FORBIDDEN:
            return LookError("the broker does not let us look (docs/security.md)", error.str())
        why = "" if self._admin is None else self._refusals.words(self._admin)
        return LookError("the broker does not answer", f"{self._settings.kafka}: {error.str()}{why}")


def _left(end: float) -> float:
    """Seconds that are left; never none, so that a question may still be asked and refused."""
    return max(_LEAST_SECONDS, end - time.monotonic())


def _short(found: Mapping[Partition, int], names: Mapping[str, str]) -> dict[Partition, int]:
    """Name topics without their prefix."""
    return {(names[topic], number): offset for (topic, number), offset in found.items()}
