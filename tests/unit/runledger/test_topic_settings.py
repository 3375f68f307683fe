"""Which settings of a topic are wrong, and how badly."""

from __future__ import annotations

import pytest

from runledger.schemas.topics import ALL_TOPICS, RUN_EVENTS, RUNS, Topic
from runledger.topic_settings import differences


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.suffix)
@pytest.mark.parametrize("replicas", [1, 2])
def test_a_topic_as_we_make_it_differs_in_nothing(topic: Topic, replicas: int) -> None:
    assert list(differences(topic, topic.config() | {"min.insync.replicas": "1"}, replicas)) == []


@pytest.mark.parametrize(
    ("topic", "config", "replicas", "needed", "serious"),
    [
        (RUNS, {"cleanup.policy": "delete"}, 1, "compact", True),
        (RUNS, {"cleanup.policy": "compact,delete"}, 1, "compact", True),
        (RUN_EVENTS, {"cleanup.policy": "compact"}, 1, "delete", True),
        (RUN_EVENTS, {"message.timestamp.type": "CreateTime"}, 1, "LogAppendTime", True),
        (RUN_EVENTS, {"max.message.bytes": "1000"}, 1, RUN_EVENTS.config()["max.message.bytes"], True),
        (RUN_EVENTS, {"retention.ms": "1000"}, 1, RUN_EVENTS.config()["retention.ms"], False),
        (RUN_EVENTS, {"retention.bytes": "1000"}, 1, "-1", False),
        (RUN_EVENTS, {"min.insync.replicas": "2"}, 1, "1", True),
        (RUN_EVENTS, {"min.insync.replicas": "2"}, 2, "1", False),
        (RUN_EVENTS, {"min.insync.replicas": "1"}, 3, "2", False),
        (RUN_EVENTS, {"min.insync.replicas": "3"}, 3, "2", False),
        (RUN_EVENTS, {"min.insync.replicas": "4"}, 3, "2", True),
        (RUN_EVENTS, {"unclean.leader.election.enable": "true"}, 1, "false", False),
    ],
)
def test_a_difference_is_told_with_what_is_needed(
    topic: Topic, config: dict[str, str], replicas: int, needed: str, serious: bool
) -> None:
    (found,) = differences(topic, topic.config() | config, replicas)
    assert {found.name: found.found} == config
    assert (found.needed, found.serious) == (needed, serious)
    mended = topic.config() | config | {found.name: found.needed}
    assert list(differences(topic, mended, replicas)) == []


@pytest.mark.parametrize(
    ("topic", "config"),
    [
        (RUN_EVENTS, {"retention.ms": "-1"}),
        (RUN_EVENTS, {"retention.ms": str(400 * 24 * 3600 * 1000)}),
        (RUN_EVENTS, {"max.message.bytes": "100000000"}),
        (RUNS, {"retention.ms": "1000"}),
        (RUNS, {"min.insync.replicas": "2"}),
    ],
    ids=["for-ever", "longer", "larger", "no-matter-where-compacted", "two-of-three"],
)
def test_more_than_is_needed_is_left_alone(topic: Topic, config: dict[str, str]) -> None:
    own = {"min.insync.replicas": "2"}
    assert list(differences(topic, topic.config() | own | config, 3)) == []
