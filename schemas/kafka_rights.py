"""What each process may do at the broker, and nothing more: the source of the ACLs in docs/security.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from runledger.schemas.topics import (
    AGENT_POSITIONS,
    AGENTS,
    ALL_TOPICS,
    DEAD_LETTERS,
    DEFAULT_PREFIX,
    INCIDENTS,
    RUN_EVENTS,
    RUN_LOG,
    RUN_OUTCOMES,
    RUN_POSITIONS,
    RUN_SCORES,
    RUNS,
    SCORING_JOBS,
    SETTINGS,
    Topic,
)

CLUSTER = "kafka-cluster"
"""Kafka's own name of the one resource of that kind."""
Resource: TypeAlias = Literal["topic", "group", "transactional-id", "cluster"]
Operation: TypeAlias = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]


@dataclass(frozen=True, slots=True)
class Rights:
    """What one kind of process does. Who may read or write a topic may also describe it.

    Args:
        reads: topics it reads.
        writes: topics it writes.
        describes: topics of which it asks the ends only.
        joins: consumer group it is a member of, behind the prefix.
        watches: consumer groups whose members and offsets it asks for.
        looks: beginnings of groups, behind the prefix, that it names and never joins: the client library looks them up.
        owns: prefix of its transactional ids.
        creates: whether it creates topics.
        inspects: whether it asks for the settings of topics and brokers.
    """

    reads: tuple[Topic, ...] = ()
    writes: tuple[Topic, ...] = ()
    describes: tuple[Topic, ...] = ()
    joins: str | None = None
    watches: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    owns: str | None = None
    creates: bool = False
    inspects: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """One ACL that allows something.

    Args:
        operation: what.
        resource: on which kind of thing.
        name: of the thing, or its beginning.
        prefixed: whether `name` is only the beginning.
    """

    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False


_SINK_SOURCES = (RUN_EVENTS, RUNS, AGENTS, RUN_LOG, INCIDENTS, RUN_SCORES, SETTINGS)
_REPLAYED = (RUN_EVENTS, RUN_OUTCOMES, RUN_LOG, INCIDENTS, SCORING_JOBS, RUN_SCORES)
"""Topics whose dead letters can be read again; of a compacted one an old record would replace a newer."""

RIGHTS = {
    "producer": Rights(writes=(RUN_EVENTS,)),
    "processor": Rights(
        reads=(RUN_EVENTS, RUN_OUTCOMES, SETTINGS, RUNS, AGENTS, RUN_POSITIONS, AGENT_POSITIONS),
        writes=(
            RUN_EVENTS,
            RUNS,
            RUN_OUTCOMES,
            AGENTS,
            RUN_LOG,
            INCIDENTS,
            DEAD_LETTERS,
            RUN_POSITIONS,
            AGENT_POSITIONS,
        ),
        joins="processors",
        looks=("reader-", "settings-"),
        owns="processors-",
    ),
    "sink": Rights(reads=_SINK_SOURCES, writes=(DEAD_LETTERS,), joins="sink"),
    "relay": Rights(writes=(SCORING_JOBS,)),
    "scorer": Rights(reads=(SCORING_JOBS,), writes=(RUN_SCORES, DEAD_LETTERS), joins="scoring"),
    "watch": Rights(
        reads=(RUN_EVENTS, RUN_OUTCOMES, RUN_POSITIONS, AGENT_POSITIONS),
        describes=_SINK_SOURCES[1:],
        watches=("processors",),
        looks=("watch-",),
    ),
    "operator": Rights(writes=(SETTINGS, RUN_EVENTS, RUN_OUTCOMES), reads=(DEAD_LETTERS,)),
    "dlq": Rights(reads=(*_REPLAYED, DEAD_LETTERS), writes=(*_REPLAYED, DEAD_LETTERS), looks=("dlq-",), owns="dlq"),
    "migration": Rights(creates=True),
    "doctor": Rights(
        reads=ALL_TOPICS, watches=("processors", "sink", "scoring"), looks=("doctor-", "dlq-"), inspects=True
    ),
}
"""{kind of process: what it does}. Producers: gateway, MCP server, agents that write to Kafka themselves."""


def grants(rights: Rights, prefix: str = DEFAULT_PREFIX) -> Iterator[Grant]:
    """Give the ACLs for these rights, on topics and groups of this prefix."""
    yield from _topic_grants(rights, prefix)
    if rights.joins is not None:
        yield Grant("Read", "group", prefix + rights.joins)
    for watched in rights.watches:
        yield Grant("Describe", "group", prefix + watched)
    for beginning in rights.looks:
        yield Grant("Describe", "group", prefix + beginning, prefixed=True)
    if rights.owns is not None:
        yield Grant("Write", "transactional-id", prefix + rights.owns, prefixed=True)
    yield from _wide_grants(rights, prefix)


def _topic_grants(rights: Rights, prefix: str) -> Iterator[Grant]:
    for topic in ALL_TOPICS:
        if topic in rights.reads:
            yield Grant("Read", "topic", topic.name(prefix))
        if topic in rights.writes:
            yield Grant("Write", "topic", topic.name(prefix))
        if topic in rights.describes:
            yield Grant("Describe", "topic", topic.name(prefix))


def _wide_grants(rights: Rights, prefix: str) -> Iterator[Grant]:
    if rights.creates:
        yield Grant("Create", "topic", prefix, prefixed=True)
        yield Grant("Describe", "topic", prefix, prefixed=True)
    if rights.inspects:
        yield Grant("DescribeConfigs", "topic", prefix, prefixed=True)
        yield Grant("DescribeConfigs", "cluster", CLUSTER)
