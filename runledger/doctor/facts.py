"""Everything that was seen, before anybody judges it; each fact is either seen, or `Unseen` for a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar

from runledger.doctor.broker_facts import (
    Bounds,
    BrokerClock,
    Cluster,
    Group,
    Letters,
    Partition,
    Reader,
    TopicFacts,
)
from runledger.doctor.database_facts import (
    Connections,
    Database,
    Outbox,
    Projects,
    Reading,
    Roles,
    Sessions,
    Tables,
    Webhooks,
)
from runledger.doctor.machine_facts import Disk, Door, Environment, Packages, Servers, Service
from runledger.schemas.snapshots import Position as StagePosition
from runledger.schemas.topics import Topic
from runledger.sinks.offsets import Position as SinkPosition

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why a fact is not known, and what would make it known.

    Args:
        why: one line for people.
        remedy: what to do; empty where another check says it.
        command: the same as a command.
    """

    why: str
    remedy: str = ""
    command: str = ""


NO_ANSWER = Unseen("no answer came in time", "look again with a longer --timeout")
Seen: TypeAlias = _T | Unseen


@dataclass(slots=True)
class Facts:
    """Everything that was seen; whoever looks sets the fields one by one."""

    now: datetime
    patience_seconds: float
    servers: Seen[Servers] = NO_ANSWER
    environment: Seen[Environment] = NO_ANSWER
    packages: Seen[Packages] = NO_ANSWER
    open_files: Seen[int] = NO_ANSWER
    disk: Seen[Disk | None] = NO_ANSWER
    services: Seen[tuple[Service, ...] | None] = NO_ANSWER
    doors: Seen[tuple[Door, ...]] = NO_ANSWER

    cluster: Seen[Cluster] = NO_ANSWER
    broker_settings: Seen[Mapping[str, str]] = NO_ANSWER
    topics: Seen[Mapping[Topic, TopicFacts]] = NO_ANSWER
    internal_topics: Seen[Mapping[str, TopicFacts]] = NO_ANSWER
    topic_settings: Seen[Mapping[Topic, Mapping[str, str]]] = NO_ANSWER
    bounds: Seen[Mapping[Partition, Bounds]] = NO_ANSWER
    open_since: Seen[Mapping[Partition, datetime]] = NO_ANSWER
    """{partition with an open transaction: log time of its first record}."""
    stage_positions: Seen[Mapping[Partition, StagePosition]] = NO_ANSWER
    """{partition of a stage's source: its newest position record}."""
    groups: Seen[Mapping[str, Group]] = NO_ANSWER
    """{processor, sink, scorer: its group}."""
    readers: Seen[Mapping[str, Reader]] = NO_ANSWER
    letters: Seen[Letters] = NO_ANSWER
    broker_clock: Seen[BrokerClock] = NO_ANSWER

    database: Seen[Database] = NO_ANSWER
    connections: Seen[Connections] = NO_ANSWER
    sessions: Seen[Sessions] = NO_ANSWER
    tables: Seen[Tables] = NO_ANSWER
    roles: Seen[Roles] = NO_ANSWER
    reading: Seen[Reading] = NO_ANSWER
    sink_positions: Seen[Mapping[Partition, SinkPosition]] = NO_ANSWER
    watermark: Seen[float | None] = NO_ANSWER
    """Age in seconds, by the database's clock; None where no watch ever told."""
    outbox: Seen[Outbox] = NO_ANSWER
    webhooks: Seen[Webhooks] = NO_ANSWER
    projects: Seen[Projects] = NO_ANSWER

    def miss_topics(self, why: Unseen) -> None:
        """Note that nothing which depends on knowing the topics can be seen."""
        self._miss(_OF_TOPICS, why)

    def miss_broker(self, why: Unseen) -> None:
        """Note that nothing of the broker can be seen."""
        self._miss(OF_BROKER[1:], why)

    def miss_database(self, why: Unseen) -> None:
        """Note that nothing of the database can be seen."""
        self._miss(OF_DATABASE[1:], why)

    def _miss(self, names: Iterable[str], why: Unseen) -> None:
        for name in names:
            setattr(self, name, why)


_OF_TOPICS = (
    "topics",
    "internal_topics",
    "topic_settings",
    "bounds",
    "open_since",
    "stage_positions",
    "groups",
    "readers",
    "letters",
    "broker_clock",
)
OF_BROKER = ("cluster", "broker_settings", *_OF_TOPICS)
"""Facts that only a broker tells; without the first there is none of the others."""
OF_DATABASE = (
    "database",
    "connections",
    "sessions",
    "tables",
    "roles",
    "reading",
    "sink_positions",
    "watermark",
    "outbox",
    "webhooks",
    "projects",
)
"""Facts that only the database tells, likewise."""
