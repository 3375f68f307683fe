"""The settings topic is known before anything is folded, and followed from then on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from structlog.testing import capture_logs

from runledger.processors.broker import Broker
from runledger.processors.errors import StoreLost
from runledger.processors.policies import Policies, default_policy
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import ProcessorSettings
from runledger.processors.settings_follower import SettingsFollower
from runledger.processors.store import PartitionStore
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import encode
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import SETTINGS
from tests.integration.processors.partition import PARTITION, Operator, Partition, until

pytestmark = pytest.mark.integration


@pytest.fixture
def partition(topics: ConnectionSettings) -> Partition:
    partition = Partition(topics)
    partition.wait_for_leaders()
    return partition


@pytest.fixture
def operator(partition: Partition) -> Operator:
    return Operator(partition.connection)


@pytest.fixture
def policies() -> Policies:
    return Policies(default_policy(ProcessorSettings()))


@pytest.fixture
def crashes() -> list[BaseException]:
    return []


@pytest.fixture
def follower(partition: Partition, policies: Policies, crashes: list[BaseException]) -> Iterator[SettingsFollower]:
    follower = SettingsFollower(partition.connection, policies, crashes.append)
    yield follower
    follower.close()
    assert crashes == []


def deadline(policies: Policies, agent_id: str = "sage") -> float:
    return policies.of("p", agent_id).deadlines.run_deadline.total_seconds()


def test_all_that_stands_in_the_topic_is_known_first(
    operator: Operator, policies: Policies, follower: SettingsFollower
) -> None:
    agents = [AgentSettings("p", f"a{number}", deadline_seconds=number + 1) for number in range(40)]
    operator.say(AgentSettings("p", deadline_seconds=5), *agents, AgentSettings("p", "a0", deadline_seconds=9))
    operator.write(b"p/a1", None)
    follower.start()
    assert follower.wait_until_read(20)
    assert [deadline(policies, name) for name in ("a0", "a1", "a2", "other")] == [9, 5, 3, 5]


def test_an_empty_topic_is_known_too(policies: Policies, follower: SettingsFollower) -> None:
    follower.start()
    assert follower.wait_until_read(20)
    assert deadline(policies) == 3600


def test_what_is_said_later_is_followed_and_taken_back(
    operator: Operator, policies: Policies, follower: SettingsFollower
) -> None:
    follower.start()
    assert follower.wait_until_read(20)
    operator.say(AgentSettings("p", "sage", deadline_seconds=7, failure_threshold=1))
    until(lambda: deadline(policies) == 7)
    assert policies.of("p", "sage").streaks.failure_threshold == 1
    operator.write(b"p/sage", None)
    until(lambda: deadline(policies) == 3600)


def test_what_is_no_settings_record_is_logged_and_left_out(
    operator: Operator, policies: Policies, follower: SettingsFollower
) -> None:
    operator.write(b"p/sage", b"{no")
    operator.write(b"p/owl", encode(AgentSettings("p", "sage", deadline_seconds=1)))
    operator.say(AgentSettings("p", "crow", deadline_seconds=2))
    with capture_logs() as logs:
        follower.start()
        assert follower.wait_until_read(20)
    assert sorted(line["reason"] for line in logs if line["event"] == "settings_ignored") == ["not_json", "wrong_key"]
    assert [deadline(policies, name) for name in ("sage", "owl", "crow")] == [3600, 3600, 2]


def test_no_store_opens_before_the_settings_are_read(
    operator: Operator, partition: Partition, policies: Policies, follower: SettingsFollower
) -> None:
    operator.say(AgentSettings("p", "sage", deadline_seconds=7))
    settings = partition.broker().settings
    broker = Broker(settings, follower)
    store = PartitionStore(broker, RunStage(settings, policies), PARTITION)
    follower.start()
    store.open()
    assert deadline(policies) == 7
    assert store.held.policy_revision == policies.revision
    assert not store.held.is_reviewing


def test_a_missing_topic_is_told_once_and_read_when_it_is_there(
    partition: Partition, policies: Policies, follower: SettingsFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition.delete(SETTINGS)
    settings = partition.broker().settings
    monkeypatch.setattr("runledger.processors.store._TIMEOUT_SECONDS", 2)
    with capture_logs() as logs:
        follower.start()
        store = PartitionStore(Broker(settings, follower), RunStage(settings, policies), PARTITION)
        with pytest.raises(StoreLost, match="settings topic is not read yet"):
            store.open()
        until(lambda: any(line["event"] == "settings_not_followed" for line in logs))
        partition.create(SETTINGS)
        assert follower.wait_until_read(20)
    events = [line["event"] for line in logs if line["event"].startswith("settings_")]
    assert events == ["settings_not_followed", "settings_read", "settings_followed_again"]


def test_a_broker_that_is_away_is_told_once_and_what_is_known_holds(policies: Policies) -> None:
    nowhere = ConnectionSettings(kafka="127.0.0.1:1", topic_prefix="nowhere.")
    crashes: list[BaseException] = []
    follower = SettingsFollower(nowhere, policies, crashes.append)
    with capture_logs() as logs:
        follower.start()
        until(lambda: logs)
        assert not follower.wait_until_read(2.5)
    follower.close()
    assert [line["event"] for line in logs] == ["settings_not_followed"]
    assert (crashes, deadline(policies)) == ([], 3600)


def test_a_broker_that_goes_away_is_told_once_and_what_is_known_holds(policies: Policies) -> None:
    """A broker of librdkafka's own, within a producer: it ends with it."""
    broker = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 2})
    broker.produce("mock.settings", encode(AgentSettings("p", "sage", deadline_seconds=7)), b"p/sage")
    assert broker.flush(20) == 0
    (address,) = broker.list_topics(timeout=20).brokers.values()
    connection = ConnectionSettings(kafka=f"{address.host}:{address.port}", topic_prefix="mock.")
    crashes: list[BaseException] = []
    follower = SettingsFollower(connection, policies, crashes.append)
    with capture_logs() as logs:
        follower.start()
        assert follower.wait_until_read(20)
        del broker
        until(lambda: any(line["event"] == "settings_not_followed" for line in logs))
        asked = time.monotonic()
        until(lambda: time.monotonic() - asked > 2.5)  # twice as long as it takes to ask again
    follower.close()
    assert [line["event"] for line in logs] == ["settings_read", "settings_not_followed"]
    assert (crashes, deadline(policies)) == ([], 7)
