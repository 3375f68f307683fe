"""How far each reader of each topic is behind: records of its partitions that it has not dealt with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from runledger.analytics.dashboard.backstage import BrokerLook, Partition
from runledger.analytics.progress import SinkPosition
from runledger.schemas.topics import (
    AGENTS,
    INCIDENTS,
    RUN_EVENTS,
    RUN_LOG,
    RUN_OUTCOMES,
    RUN_SCORES,
    RUNS,
    SCORING_JOBS,
    SETTINGS,
    Topic,
)

Worker: TypeAlias = Literal["processor", "sink", "scorer"]
READERS: tuple[tuple[Worker, str, tuple[Topic, ...]], ...] = (
    ("processor", "stage 1", (RUN_EVENTS,)),
    ("processor", "stage 2", (RUN_OUTCOMES,)),
    ("sink", "sink", (RUN_EVENTS, RUNS, AGENTS, RUN_LOG, INCIDENTS, RUN_SCORES, SETTINGS)),
    ("scorer", "scorer", (SCORING_JOBS,)),
)
"""(worker, what of it reads, topics), in the order of an event's way."""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition, as one reader finds it.

    Args:
        number: of the partition.
        waiting: records not dealt with; None where that is not known.
        position: first offset not dealt with, as the reader has noted it; None where it noted none.
        end: of what is committed; None where the broker does not tell.
    """

    number: int
    waiting: int | None
    position: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class ReaderLag:
    """One topic, as one reader finds it.

    Args:
        worker: whose.
        reader: stage 1, stage 2, sink or scorer.
        topic: suffix of its name.
        partitions: in order.
        written_at: when the sink last noted a position; None for others.
    """

    worker: Worker
    reader: str
    topic: str
    partitions: tuple[PartitionLag, ...]
    written_at: datetime | None

    @property
    def waiting(self) -> int | None:
        """Records of all partitions; None where some are not known."""
        known = [one.waiting for one in self.partitions if one.waiting is not None]
        return sum(known) if known and len(known) == len(self.partitions) else None

    @property
    def worst(self) -> tuple[PartitionLag, ...]:
        """Partitions in which records wait, most of them first."""
        return tuple(sorted((one for one in self.partitions if one.waiting), key=lambda one: -(one.waiting or 0)))


def measure_lags(
    broker: BrokerLook | None, positions: Sequence[SinkPosition], settled: Mapping[Partition, int]
) -> list[ReaderLag]:
    """Say for every reader what waits.

    Args:
        broker: what was seen there; None where nothing was.
        positions: of the sink, from the tables.
        settled: where logs ended when everything was last known to stand in the tables. Below that only markers of
            transactions can be left, which are no records: a position that stands before one is not behind.
    """
    held: dict[Worker, Mapping[Partition, int]] = {
        "sink": {(one.topic, one.partition): one.next_offset for one in positions},
        "processor": {} if broker is None else broker.stands.get("processor", {}),
        "scorer": {} if broker is None else broker.stands.get("scorer", {}),
    }
    written_at: dict[str, datetime] = {}
    for one in positions:
        written_at[one.topic] = max(one.updated_at, written_at.get(one.topic, one.updated_at))
    lags = []
    for worker, reader, topics in READERS:
        stands = held[worker]
        done: Mapping[Partition, int] = {} if worker == "scorer" else settled  # the tables do not wait for scorers
        for topic in topics:
            partitions = tuple(
                _lag(broker, source, stands.get(source), done) for source in _sources(topic, broker, stands)
            )
            noted_at = written_at.get(topic.suffix) if worker == "sink" else None
            lags.append(ReaderLag(worker, reader, topic.suffix, partitions, noted_at))
    return lags


def _sources(topic: Topic, broker: BrokerLook | None, held: Iterable[Partition]) -> list[Partition]:
    known = held if broker is None else broker.ends
    return sorted(source for source in known if source[0] == topic.suffix)


def _lag(
    broker: BrokerLook | None, source: Partition, position: int | None, settled: Mapping[Partition, int]
) -> PartitionLag:
    if broker is None:
        return PartitionLag(source[1], None, position, None)
    end = broker.ends[source]
    done = max(broker.begins.get(source, 0) if position is None else position, settled.get(source, 0))
    return PartitionLag(source[1], max(0, end - done), position, end)
