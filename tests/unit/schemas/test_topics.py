from __future__ import annotations

import pytest

from runledger.schemas import topics
from runledger.schemas.values import MAX_EVENT_BYTES


def test_names_are_unique_and_prefixed() -> None:
    names = [topic.name("p.") for topic in topics.ALL_TOPICS]
    assert len(set(names)) == len(names)
    assert topics.RUN_EVENTS.name() == "runledger.run-events"
    assert topics.RUN_EVENTS.name("p.") == "p.run-events"


def test_every_topic_of_the_module_is_in_the_table() -> None:
    assert {value for value in vars(topics).values() if isinstance(value, topics.Topic)} == set(topics.ALL_TOPICS)


@pytest.mark.parametrize("topic", topics.ALL_TOPICS, ids=lambda topic: topic.suffix)
def test_every_topic_is_in_log_time_and_none_is_both_deleted_and_compacted(topic: topics.Topic) -> None:
    config = topic.config()
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert config["cleanup.policy"] in {"delete", "compact"}
    assert ("retention.ms" in config) == (topic.cleanup == "delete")


def test_dead_letters_take_whatever_any_topic_takes() -> None:
    others = [topic.max_message_bytes for topic in topics.ALL_TOPICS if topic is not topics.DEAD_LETTERS]
    assert topics.DEAD_LETTERS.max_message_bytes >= 2 * max(others)
    assert topics.RUN_EVENTS.max_message_bytes > MAX_EVENT_BYTES
