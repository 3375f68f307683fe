"""Look at the broker: its brokers, topics, groups, and what waits in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from confluent_kafka import KafkaException

from runledger.doctor.broker_facts import (
    Bounds,
    BrokerClock,
    BrokerNode,
    Cluster,
    Group,
    Partition,
    Reader,
    TopicFacts,
    Waiting,
)
from runledger.doctor.facts import Facts, Seen, Unseen
from runledger.doctor.judging.clocks import ahead
from runledger.doctor.seeing.kafka import Clock, Kafka, unseen
from runledger.doctor.seeing.reaching import connect_all, refusal_of_addresses, refusal_of_broker
from runledger.doctor.seeing.records import committed_positions, first_records, stage_positions
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import (
    AGENT_POSITIONS,
    ALL_TOPICS,
    RUN_EVENTS,
    RUN_OUTCOMES,
    RUN_POSITIONS,
    SCORING_JOBS,
    Topic,
)
from runledger.sinks.records import SOURCES

_FactT = TypeVar("_FactT")
READERS: dict[str, tuple[str, tuple[Topic, ...]]] = {
    "processor": ("processors", (RUN_EVENTS, RUN_OUTCOMES)),
    "sink": ("sink", SOURCES),
    "scorer": ("scoring", (SCORING_JOBS,)),
}
"""{worker: (its group behind the prefix, the topics it reads)}."""
_STAGES = {RUN_POSITIONS: RUN_EVENTS, AGENT_POSITIONS: RUN_OUTCOMES}
_INTERNAL = ("__consumer_offsets", "__transaction_state")
_PAUSE_SECONDS = 1.0
"""Between two looks at what moves."""
AWAY = Unseen("the broker lets nobody in, see above")


class BrokerEye:
    """Looks at one broker.

    Args:
        settings: where it is.
        facts: set one by one.
        clock: how much time there is.
    """

    def __init__(self, settings: ConnectionSettings, facts: Facts, clock: Clock) -> None:
        self._settings, self._facts, self._clock = settings, facts, clock
        self._kafka: Kafka | None = None
        self._began = time.time()
        self._ends: dict[Partition, int] = {}

    @property
    def is_let_in(self) -> bool:
        """Whether the broker answered."""
        return self._kafka is not None

    def look(self) -> None:
        """Look at all that needs the broker alone."""
        self._facts.cluster = cluster = self._reach()
        if cluster.refusal is not None or self._kafka is None:
            self._facts.miss_broker(AWAY)
            return
        self._see_settings(self._kafka, cluster.nodes[0].number)
        topics = self._see_topics(self._kafka)
        bounds = self._see_bounds(self._kafka, topics)
        self._see_groups(self._kafka, topics)
        self._see_positions(bounds)
        self._see_transactions(bounds)

    def _reach(self) -> Cluster:
        troubles = connect_all(self._settings.kafka.split(","))
        if all(troubles.values()):
            return Cluster(refusal=refusal_of_addresses(troubles))
        kafka = Kafka(self._settings, self._clock)
        try:
            nodes = kafka.nodes()
        except KafkaException as error:
            return Cluster(refusal=refusal_of_broker(self._settings, kafka.complaints, error.args[0]))
        self._kafka = kafka
        reached = connect_all(nodes.values())
        return Cluster(tuple(BrokerNode(number, nodes[number], reached[nodes[number]]) for number in sorted(nodes)))

    def _see_settings(self, kafka: Kafka, number: int) -> None:
        try:
            self._facts.broker_settings = kafka.broker_settings(number)
        except KafkaException as error:
            self._facts.broker_settings = unseen(error, "its settings", "DescribeConfigs on the cluster")

    def _see_topics(self, kafka: Kafka) -> Mapping[Topic, TopicFacts]:
        names = {topic: topic.name(self._settings.topic_prefix) for topic in ALL_TOPICS}
        try:
            found = kafka.topics([*names.values(), *_INTERNAL])
        except KafkaException as error:
            lost = unseen(error, "its topics", "Describe on the topics")
            self._facts.miss_topics(lost)
            return {}
        self._facts.internal_topics = {name: found[name] for name in _INTERNAL}
        self._facts.topics = topics = {topic: found[name] for topic, name in names.items()}
        there = [topic for topic, facts in topics.items() if facts.exists]
        try:
            settings = kafka.topic_settings(names[topic] for topic in there) if there else {}
            self._facts.topic_settings = {topic: settings[names[topic]] for topic in there}
        except KafkaException as error:
            self._facts.topic_settings = unseen(error, "the topics' settings", "DescribeConfigs on the topics")
        return topics

    def _see_bounds(self, kafka: Kafka, topics: Mapping[Topic, TopicFacts]) -> dict[Partition, Bounds]:
        led = [(one.name, part.number) for one in topics.values() for part in one.partitions if part.leader >= 0]
        try:
            bounds = kafka.bounds(led) if led else {}
        except KafkaException as error:
            self._facts.bounds = unseen(error, "where its logs end", "Describe on the topics")
            return {}
        self._facts.bounds = bounds
        self._ends = {one: held.high for one, held in bounds.items()}
        return bounds

    def _see_groups(self, kafka: Kafka, topics: Mapping[Topic, TopicFacts]) -> None:
        groups: dict[str, Group] = {}
        for worker, (suffix, sources) in READERS.items():
            name = f"{self._settings.topic_prefix}{suffix}"
            partitions = [
                (topics[topic].name, part.number)
                for topic in sources
                if topic in topics
                for part in topics[topic].partitions
            ]
            try:
                state, members = kafka.members(name)
                held = committed_positions(self._settings, name, partitions, self._clock) if partitions else {}
            except KafkaException as error:
                self._facts.groups = unseen(error, f"the group {name}", f"Describe on the group {name}")
                return
            groups[worker] = Group(name, state, members, held)
        self._facts.groups = groups

    def _see_positions(self, bounds: Mapping[Partition, Bounds]) -> None:
        sources: dict[Partition, Partition] = {}
        for positions, source in _STAGES.items():
            name, of = positions.name(self._settings.topic_prefix), source.name(self._settings.topic_prefix)
            sources |= {(name, number): (of, number) for topic, number in bounds if topic == name}
        self._facts.stage_positions = self._try(
            lambda: stage_positions(self._settings, sources, bounds, self._clock), "where the stages stand"
        )

    def _see_transactions(self, bounds: Mapping[Partition, Bounds]) -> None:
        places = {one: held.stable for one, held in bounds.items() if held.stable < held.high}
        self._facts.open_since = self._try(
            lambda: first_records(self._settings, places, self._clock, committed=False), "what opened a transaction"
        )

    @staticmethod
    def _try(look: Callable[[], _FactT], what: str) -> Seen[_FactT]:
        try:
            return look()
        except KafkaException as error:
            return unseen(error, what, "Read on the topics")

    def look_again(self) -> None:
        """Look at what waits for readers, when the database has said where the sink stands; and at the clock."""
        facts = self._facts
        if isinstance(facts.bounds, Unseen) or isinstance(facts.groups, Unseen) or self._kafka is None:
            lost = facts.bounds if isinstance(facts.bounds, Unseen) else facts.groups
            if isinstance(lost, Unseen):
                facts.readers = facts.broker_clock = lost
            return
        bounds, groups = facts.bounds, facts.groups
        positions = {worker: self._positions(worker, group) for worker, group in groups.items()}
        behind = {
            worker: {
                one: position
                for one, held in bounds.items()
                if one[0] in self._sources(worker) and (position := stands.get(one, held.low)) < held.high
            }
            for worker, stands in positions.items()
        }
        facts.readers = self._try(lambda: self._waiting(groups, behind, bounds), "what waits for readers")
        facts.broker_clock = self._try(lambda: self._clocks(bounds), "its newest records")

    def _sources(self, worker: str) -> set[str]:
        return {topic.name(self._settings.topic_prefix) for topic in READERS[worker][1]}

    def _positions(self, worker: str, group: Group) -> dict[Partition, int]:
        """Where a reader stands: the sink by the database, the stages by their own records, if these are known."""
        held = dict(group.positions)
        known = {"sink": self._facts.sink_positions, "processor": self._facts.stage_positions}.get(worker)
        if known is not None and not isinstance(known, Unseen):
            held |= {one: max(position.next_offset, held.get(one, 0)) for one, position in known.items()}
        return held

    def _waiting(
        self,
        groups: Mapping[str, Group],
        behind: Mapping[str, Mapping[Partition, int]],
        bounds: Mapping[Partition, Bounds],
    ) -> dict[str, Reader]:
        readers = {}
        for worker, group in groups.items():
            first = first_records(self._settings, behind[worker], self._clock, committed=True)
            later = committed_positions(self._settings, group.name, list(first), self._clock) if first else {}
            waiting = {
                one: Waiting(
                    bounds[one].high - behind[worker][one], logged_at, later.get(one, 0) > group.positions.get(one, 0)
                )
                for one, logged_at in first.items()
            }
            readers[worker] = Reader(group, waiting)
        return readers

    def _clocks(self, bounds: Mapping[Partition, Bounds]) -> BrokerClock:
        kafka = self._kafka
        own = [one for one in bounds if self._in_log_time(one[0])]
        if kafka is None or not own:
            return BrokerClock(None, None)
        time.sleep(max(0.0, self._began + _PAUSE_SECONDS - time.time()))
        newest = kafka.newest(own)
        until = time.time()
        stamps = {one: stamp / 1000 for one, (_, stamp) in newest.items() if stamp > 0}
        if not stamps:
            return BrokerClock(None, None)
        fresh = [stamp for one, stamp in stamps.items() if newest[one][0] >= self._ends.get(one, 0)]
        latest = max(stamps.values())
        seconds = ahead(max(fresh), self._began, until) if fresh else max(0.0, latest - until) or None
        return BrokerClock(datetime.fromtimestamp(latest, UTC), seconds)

    def _in_log_time(self, name: str) -> bool:
        """Whether a topic's records bear the broker's time."""
        settings = self._facts.topic_settings
        if isinstance(settings, Unseen):
            return True
        by_name = {topic.name(self._settings.topic_prefix): config for topic, config in settings.items()}
        return by_name.get(name, {}).get("message.timestamp.type") == "LogAppendTime"
