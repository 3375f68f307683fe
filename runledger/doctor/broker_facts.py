"""What was seen of the broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Partition: TypeAlias = tuple[str, int]
"""(full topic name, partition)."""


@dataclass(frozen=True, slots=True)
class BrokerNode:
    """One broker, at the address by which the cluster tells clients to find it."""

    number: int
    address: str
    trouble: str = ""
    """Why nobody can connect to it from here; empty where one can."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a server lets nobody in.

    Args:
        found: what happened.
        remedy: what to do.
    """

    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """The brokers, as the one that was asked names them; or why none of them answered."""

    nodes: tuple[BrokerNode, ...] = ()
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """Copies of one partition: how many there are to be, and how many are in sync. Leader is -1 where there is none."""

    number: int
    leader: int
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One topic as it stands; `partitions` is empty where there is no such topic."""

    name: str
    topic_id: str = ""
    partitions: tuple[PartitionFacts, ...] = ()
    forbidden: bool = False

    @property
    def exists(self) -> bool:
        """Whether the broker knows it."""
        return bool(self.partitions)

    @property
    def replicas(self) -> int:
        """Copies of the partition that has the fewest."""
        return min((one.replicas for one in self.partitions), default=0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a partition holds: [low, high); `stable` is the first offset of the oldest open transaction, else high."""

    low: int
    high: int
    stable: int


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group's members and the positions it has committed."""

    name: str
    state: str
    members: int
    positions: Mapping[Partition, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first record of a partition that its reader has not read.

    Args:
        records: how far its position is from the log's end; markers of transactions count too.
        logged_at: log time of the record.
        moves: whether the position moved while we looked.
    """

    records: int
    logged_at: datetime
    moves: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """One kind of worker that reads topics: its group, and what waits for it."""

    group: Group
    waiting: Mapping[Partition, Waiting]


@dataclass(frozen=True, slots=True)
class Letters:
    """Dead letters that wait for somebody: {(topic, reason): how many}, and when the first was refused."""

    counts: Mapping[tuple[str, str], int]
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class BrokerClock:
    """What records tell of the broker's clock.

    Args:
        latest: the newest log time of any record; None where no record is.
        ahead_seconds: it runs ahead of ours by at least that; negative where it is behind. None: nothing was logged
            while we looked, so only a clock that runs ahead can be noticed.
    """

    latest: datetime | None
    ahead_seconds: float | None
