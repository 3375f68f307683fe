from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from runledger import topic_admin
from runledger.topic_admin import TopicError


class Admin:
    """Answers for each partition with an error as often as told, then with an offset."""

    def __init__(self, error: int, refusals: int) -> None:
        self._error = error
        self._left = refusals
        self.asked: list[int] = []

    def list_offsets(self, wanted: dict[TopicPartition, Any], **_options: object) -> dict[TopicPartition, Future[int]]:
        self.asked.append(len(wanted))
        answers: dict[TopicPartition, Future[int]] = {}
        for partition in wanted:
            answers[partition] = answer = Future[int]()
            if partition.partition == 1 and self._left:
                answer.set_exception(KafkaException(KafkaError(self._error)))
            else:
                answer.set_result(0)
        self._left = max(0, self._left - 1)
        return answers


def test_a_leader_that_is_named_but_does_not_know_of_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_admin, "_POLL_SECONDS", 0)
    admin: Any = Admin(KafkaError.NOT_LEADER_FOR_PARTITION, 2)
    topic_admin._wait_until_led(admin, {"runs": 3})
    assert admin.asked == [3, 1, 1]


def test_another_refusal_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_admin, "_POLL_SECONDS", 0)
    admin: Any = Admin(KafkaError.TOPIC_AUTHORIZATION_FAILED, 1)
    with pytest.raises(TopicError, match="nobody leads its partition 1"):
        topic_admin._wait_until_led(admin, {"runs": 3})
    assert admin.asked == [3]


def test_a_leader_that_never_comes_is_told_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_admin, "_POLL_SECONDS", 0)
    monkeypatch.setattr(topic_admin, "_TIMEOUT_SECONDS", 0)
    admin: Any = Admin(KafkaError.LEADER_NOT_AVAILABLE, 1_000_000)
    with pytest.raises(TopicError, match="topic runs was created but nobody leads its partition 1"):
        topic_admin._wait_until_led(admin, {"runs": 3})
