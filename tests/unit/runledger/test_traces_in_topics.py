"""Until when a topic may hold what was erased."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runledger.schemas.topics import ALL_TOPICS, RUN_EVENTS, RUNS, Topic
from runledger.traces_in_topics import OF_AGENTS, held_until

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY_MS = 24 * 3600 * 1000
LOOK = timedelta(minutes=10)


def test_a_delete_topic_holds_it_for_its_retention_and_a_segments_time() -> None:
    config = {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS), "segment.ms": str(DAY_MS)}
    assert held_until(config, NOON) == NOON + timedelta(days=8) + LOOK


def test_a_compacted_topic_holds_it_for_its_lag_and_a_segments_time() -> None:
    config = {"cleanup.policy": "compact", "max.compaction.lag.ms": str(2 * DAY_MS), "segment.ms": str(DAY_MS)}
    assert held_until(config, NOON) == NOON + timedelta(days=3) + LOOK


@pytest.mark.parametrize(
    "config",
    [
        {"cleanup.policy": "delete", "retention.ms": "-1"},
        {"cleanup.policy": "compact"},
        {"cleanup.policy": "compact", "max.compaction.lag.ms": str(2**63 - 1)},
    ],
)
def test_without_a_bound_it_is_held_without_end(config: dict[str, str]) -> None:
    assert held_until(config, NOON) is None


def test_what_is_not_said_is_kafkas_default() -> None:
    assert held_until({}, NOON) == NOON + timedelta(days=14) + LOOK


@pytest.mark.parametrize("topic", OF_AGENTS, ids=lambda topic: topic.suffix)
def test_every_topic_as_runledger_makes_it_has_a_bound(topic: Topic) -> None:
    assert held_until(topic.config(), NOON) is not None


def test_every_topic_that_tells_of_runs_or_agents_is_among_them() -> None:
    assert {RUN_EVENTS, RUNS} <= set(OF_AGENTS)
    assert {topic for topic in ALL_TOPICS if not topic.suffix.endswith("-positions")} == set(OF_AGENTS)
