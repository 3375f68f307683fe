"""The one table of topic facts: topics are created, documented and checked from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runledger.schemas.values import MAX_EVENT_BYTES

DEFAULT_PREFIX = "runledger."
DEFAULT_PARTITIONS = 4
PARTITIONER = "murmur2_random"
"""Java's, Kafka Streams' and Faust's partitioner; librdkafka's own default (CRC32) would put keys elsewhere."""

_DAY_MS = 24 * 60 * 60 * 1000
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic's facts.

    Args:
        suffix: name behind the prefix.
        key: what the record's key is, for people.
        record: name of the record type in `runledger.schemas`, or "bytes".
        cleanup: Kafka's cleanup.policy.
        retention_ms: how long a delete topic keeps records; None for Kafka's default or compaction.
        written_by: the parts that write it.
        read_by: the parts that read it.
        internal: true where subscribers have no business.
    """

    suffix: str
    key: str
    record: str
    cleanup: Literal["delete", "compact"]
    written_by: str
    read_by: str
    retention_ms: int | None = None
    max_message_bytes: int = 2 * _MIB
    internal: bool = False

    def name(self, prefix: str = DEFAULT_PREFIX) -> str:
        """Full topic name."""
        return prefix + self.suffix

    def config(self) -> dict[str, str]:
        """Topic configuration as Kafka takes it. Every topic is in log time, so an old event is not deleted at once."""
        config = {
            "cleanup.policy": self.cleanup,
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(self.max_message_bytes),
        }
        if self.retention_ms is not None:
            config["retention.ms"] = str(self.retention_ms)
        if self.cleanup == "compact":
            config |= {
                "segment.ms": str(_DAY_MS),
                "segment.bytes": str(16 * _MIB),  # the newest is never compacted, and a restore reads all of it
                "min.cleanable.dirty.ratio": "0.2",
                "max.compaction.lag.ms": str(7 * _DAY_MS),  # what was erased is gone by then
            }
        return config


RUN_EVENTS = Topic(
    "run-events",
    "project/run_id",
    "RunEvent",
    "delete",
    "producers, stage 1 (timeouts)",
    "stage 1, sink, subscribers",
    retention_ms=7 * _DAY_MS,
    max_message_bytes=MAX_EVENT_BYTES + 100_000,
)
RUNS = Topic("runs", "project/run_id", "RunSnapshot", "compact", "stage 1 (its changelog)", "sink, subscribers")
RUN_OUTCOMES = Topic(
    "run-outcomes",
    "project/agent_id",
    "RunOutcome",
    "delete",
    "stage 1, operators (erasures)",
    "stage 2",
    retention_ms=7 * _DAY_MS,
)
AGENTS = Topic("agents", "project/agent_id", "AgentHealth", "compact", "stage 2 (its changelog)", "sink, subscribers")
RUN_LOG = Topic(
    "run-log",
    "project/agent_id",
    "LoggedRun | StreakRevised",
    "delete",
    "stage 2",
    "sink, subscribers",
    retention_ms=7 * _DAY_MS,
)
INCIDENTS = Topic(
    "incidents", "project/agent_id", "Incident", "delete", "stage 2", "sink, subscribers", retention_ms=30 * _DAY_MS
)
SCORING_JOBS = Topic(
    "scoring-jobs",
    "project/run_id",
    "ScoringJob",
    "delete",
    "outbox relay",
    "scoring workers",
    retention_ms=7 * _DAY_MS,
)
RUN_SCORES = Topic(
    "run-scores",
    "project/run_id",
    "RunScored",
    "delete",
    "scoring workers",
    "sink, subscribers",
    retention_ms=7 * _DAY_MS,
)
DEAD_LETTERS = Topic(
    "dead-letters",
    "as it came",
    "bytes",
    "delete",
    "stages 1 and 2, sink, scoring workers",
    "operators",
    retention_ms=30 * _DAY_MS,
    max_message_bytes=4 * _MIB,  # whatever any topic takes fits, headers and all
    internal=True,
)
SETTINGS = Topic(
    "settings", "project or project/agent_id", "AgentSettings", "compact", "operators", "stages 1 and 2, sink"
)
RUN_POSITIONS = Topic(
    "run-positions", "stage/partition", "Position", "compact", "stage 1", "stage 1 when it opens a store", internal=True
)
AGENT_POSITIONS = Topic(
    "agent-positions",
    "stage/partition",
    "Position",
    "compact",
    "stage 2",
    "stage 2 when it opens a store",
    internal=True,
)
"""One positions topic a stage: in a common one, the open transaction of one stage would hide the other's positions."""

ALL_TOPICS = (
    RUN_EVENTS,
    RUNS,
    RUN_OUTCOMES,
    AGENTS,
    RUN_LOG,
    INCIDENTS,
    SCORING_JOBS,
    RUN_SCORES,
    DEAD_LETTERS,
    SETTINGS,
    RUN_POSITIONS,
    AGENT_POSITIONS,
)
