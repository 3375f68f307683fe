from __future__ import annotations

import time

import pytest
from confluent_kafka import KafkaError, KafkaException

from runledger.analytics.dashboard.backstage import BrokerLook
from runledger.analytics.dashboard.glimpses import LookError
from runledger.backstage.broker import BrokerEye
from runledger.schemas.settings import ConnectionSettings

LOOK = BrokerLook({}, {}, {}, {})


class Eye(BrokerEye):
    """Meets an error as often as told before it sees."""

    def __init__(self, error: int, refusals: int, seconds: float = 5) -> None:
        super().__init__(ConnectionSettings(kafka="127.0.0.1:1"), seconds)
        self._error = error
        self.left = refusals

    def _look(self, admin: object, end: float) -> BrokerLook:
        if self.left:
            self.left -= 1
            raise KafkaException(KafkaError(self._error))
        return LOOK


def test_a_partition_whose_leader_is_changing_is_looked_at_again() -> None:
    assert Eye(KafkaError.NOT_LEADER_FOR_PARTITION, 2).look() is LOOK


def test_what_stays_without_a_leader_is_said_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(LookError):
        Eye(KafkaError.LEADER_NOT_AVAILABLE, 1_000_000, 0.3).look()
    assert time.monotonic() - began < 5


def test_another_refusal_is_said_at_once() -> None:
    eye = Eye(KafkaError.TOPIC_AUTHORIZATION_FAILED, 2)
    with pytest.raises(LookError, match="does not let us look"):
        eye.look()
    assert eye.left == 1
