from __future__ import annotations

import sys
from datetime import datetime

import pytest

from runledger import SubscriptionError, subscribe
from runledger.schemas.topics import ALL_TOPICS
from runledger.subscribers.decoding import DECODERS

UNSERVED = "127.0.0.1:1"


@pytest.mark.parametrize("topic", ["dead-letters", "run-positions", "runledger.runs", "nonsense"])
def test_internal_and_unknown_topics_are_refused(topic: str) -> None:
    with pytest.raises(ValueError, match="is none of run-events, runs,"):
        subscribe(topic, kafka=UNSERVED)  # type: ignore[call-overload]  # refused for that


def test_every_topic_that_is_not_internal_can_be_read() -> None:
    assert set(DECODERS) == {topic for topic in ALL_TOPICS if not topic.internal}


@pytest.mark.parametrize("group", ["runledger.processors", "runledger.sink", "runledger.scoring"])
def test_the_pipelines_own_groups_are_refused(group: str) -> None:
    with pytest.raises(ValueError, match="a group of the pipeline"):
        subscribe("runs", group=group, kafka=UNSERVED, topic_prefix="runledger.")


def test_what_a_group_cannot_do_is_refused() -> None:
    with pytest.raises(ValueError, match="a group starts where it stopped"):
        subscribe("runs", group="mine", stop_at_end=True, kafka=UNSERVED)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        subscribe("runs", start=datetime(2026, 3, 2), kafka=UNSERVED)  # noqa: DTZ001  # refused for that


def test_a_broker_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runledger.subscribers.opening.ANSWER_SECONDS", 0.5)
    with pytest.raises(SubscriptionError, match="Kafka does not answer"):
        subscribe("runs", kafka=UNSERVED)


def test_to_validate_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    monkeypatch.delitem(sys.modules, "runledger.contracts.validating", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"runledger\[contracts\]"):
        subscribe("runs", validate=True, kafka=UNSERVED)
