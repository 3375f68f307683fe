"""Until when a topic may still hold what was erased from the tables; arithmetic over its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]  # exported at run time

from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import (
    AGENTS,
    ALL_TOPICS,
    DEAD_LETTERS,
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

OF_RUNS = (RUN_EVENTS, RUNS, RUN_OUTCOMES, AGENTS, RUN_LOG, INCIDENTS, SCORING_JOBS, RUN_SCORES, DEAD_LETTERS)
"""Topics that hold something of a run: the agent's state names its last 32."""
OF_AGENTS = (*OF_RUNS, SETTINGS)

_TIMEOUT_SECONDS = 10
_KAFKA_DEFAULTS = {
    "segment.ms": 7 * 24 * 3600 * 1000,
    "retention.ms": 7 * 24 * 3600 * 1000,
    "max.compaction.lag.ms": 2**63 - 1,
    "delete.retention.ms": 24 * 3600 * 1000,
}
"""What a broker takes where nobody says otherwise (Kafka documentation, topic configs)."""
_CLEANUP = timedelta(minutes=10)
"""A broker looks every log.retention.check.interval.ms (5 min), and waits 1 min before it deletes a file."""
_FOREVER_MS = 100 * 365 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Trace:
    """What a topic may still hold.

    Args:
        topic: full name.
        until: last moment, by the broker's clock, at which a record written before the erasure may still be there; None
            where its settings set no bound.
        is_known: false where the broker did not tell the topic's settings: then those Runledger gives it are taken.
    """

    topic: str
    until: datetime | None
    is_known: bool


def held_until(config: Mapping[str, str], written_at: datetime) -> datetime | None:
    """Return until when a topic may hold what was written up to a moment, or None for without end.

    A delete topic drops whole segments, once their newest record is old enough; a segment takes records for
    `segment.ms`. A compacted one drops an older value of a key at the latest `max.compaction.lag.ms` after the next was
    written, once the segment is closed.

    Args:
        config: the topic's settings, as Kafka names them.
        written_at: log time of the last record concerned.
    """

    def read(name: str) -> int:
        return int(config.get(name, _KAFKA_DEFAULTS[name]))

    compacted = "compact" in config.get("cleanup.policy", "delete")
    kept_ms = read("max.compaction.lag.ms" if compacted else "retention.ms")
    if kept_ms < 0 or kept_ms > _FOREVER_MS:
        return None
    return written_at + timedelta(milliseconds=min(read("segment.ms"), _FOREVER_MS) + kept_ms) + _CLEANUP


def find_traces(settings: ConnectionSettings, topics: tuple[Topic, ...], written_at: datetime) -> list[Trace]:
    """Say of each topic until when it may hold what was written up to a moment."""
    configs = _configs(settings, topics)
    return [
        Trace(
            topic.name(settings.topic_prefix),
            held_until(configs.get(topic) or topic.config(), written_at),
            is_known=topic in configs,
        )
        for topic in ALL_TOPICS
        if topic in topics
    ]


def _configs(settings: ConnectionSettings, topics: tuple[Topic, ...]) -> dict[Topic, dict[str, str]]:
    """Ask the broker; without the right to, nothing is known."""
    admin = AdminClient({**kafka_client(settings), "log_level": 0})
    resources = {
        topic: ConfigResource(ConfigResource.Type.TOPIC, topic.name(settings.topic_prefix)) for topic in topics
    }
    asked = admin.describe_configs(list(resources.values()), request_timeout=_TIMEOUT_SECONDS)
    known = {}
    for topic, resource in resources.items():
        try:
            known[topic] = {name: entry.value for name, entry in asked[resource].result().items()}
        except KafkaException:
            continue
    return known
