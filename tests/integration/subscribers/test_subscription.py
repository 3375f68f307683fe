from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from runledger import RunClient, Subscription, SubscriptionError, Tombstone, subscribe
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import encode
from runledger.schemas.dead_letters import REASON
from runledger.schemas.identifiers import run_key, settings_key
from runledger.schemas.run_events import AnyRunEvent, RunLogged
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.topics import RUN_EVENTS, RUNS, SETTINGS

pytestmark = pytest.mark.integration
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def client(topics: ConnectionSettings) -> Iterator[RunClient]:
    """A client of the test's own topics."""
    with RunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client:
        yield client


def log(client: RunClient, *names: str, project: str = "acme") -> None:
    for name in names:
        client.log_run("sage", "success", project=project, event_id=name)
    client.flush()


def ids(events: Subscription[AnyRunEvent]) -> list[str]:
    return sorted(event.value.event_id for event in events)


def snapshot(number: int) -> bytes:
    return encode(RunSnapshot("acme", UUID(int=number), born_offset=0, version=1, last_logged_at=AT))


def test_records_come_typed_with_their_place(topics: ConnectionSettings, client: RunClient) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    log(client, "one")
    with subscribe("run-events", settings=topics, stop_at_end=True) as events:
        (received,) = events
    assert isinstance(received.value, RunLogged)
    assert received.key == f"acme/{received.value.run_id}"
    assert received.project_key == "acme"
    assert received.topic == RUN_EVENTS.name(topics.topic_prefix)
    assert (received.offset, received.partition in range(topics.partitions)) == (0, True)
    assert before < received.logged_at < datetime.now(UTC) + timedelta(seconds=5)


def test_from_the_beginning_from_now_and_from_a_time(topics: ConnectionSettings, client: RunClient) -> None:
    log(client, "a", "b")
    with subscribe("run-events", settings=topics, stop_at_end=True) as events:
        last = max(event.logged_at for event in events)
    with subscribe("run-events", settings=topics, start="latest") as now:
        log(client, "c")
        received = now.poll(20)
        assert received is not None
        assert received.value.event_id == "c"
        assert now.poll(0.3) is None
    later = last + timedelta(milliseconds=1)
    with subscribe("run-events", settings=topics, start=later, stop_at_end=True) as events:
        assert ids(events) == ["c"]
    with subscribe("run-events", settings=topics, start=later + timedelta(days=1), stop_at_end=True) as events:
        assert ids(events) == []


def test_an_empty_topic_ends_at_once(topics: ConnectionSettings) -> None:
    with subscribe("incidents", settings=topics, stop_at_end=True) as incidents:
        assert list(incidents) == []


def test_what_comes_after_the_call_lies_beyond_the_end(topics: ConnectionSettings, client: RunClient) -> None:
    log(client, *(f"before-{number}" for number in range(5)))
    with subscribe("run-events", settings=topics, stop_at_end=True) as events:
        log(client, *(f"after-{number}" for number in range(50)))
        assert ids(events) == [f"before-{number}" for number in range(5)]


def test_only_one_project_if_asked(topics: ConnectionSettings, client: RunClient) -> None:
    log(client, "mine")
    log(client, "theirs", project="acme2")
    with subscribe("run-events", settings=topics, project="acme", stop_at_end=True) as events:
        assert ids(events) == ["mine"]


def test_settings_of_a_project_are_those_of_the_whole_and_of_its_agents(topics: ConnectionSettings) -> None:
    producer = Producer({"bootstrap.servers": topics.kafka})
    for project, agent_id in (("acme", None), ("acme", "sage"), ("acme2", None), ("acme2", "sage")):
        said = AgentSettings(project, agent_id, deadline_seconds=60)
        producer.produce(SETTINGS.name(topics.topic_prefix), encode(said), settings_key(project, agent_id))
    producer.flush()
    with subscribe("settings", settings=topics, project="acme", stop_at_end=True) as settings:
        assert sorted(received.key for received in settings) == ["acme", "acme/sage"]


def test_what_was_not_committed_is_not_seen(topics: ConnectionSettings) -> None:
    producer = Producer({"bootstrap.servers": topics.kafka, "transactional.id": f"{topics.topic_prefix}test"})
    producer.init_transactions(20)
    for number, commit in enumerate([False, True]):
        producer.begin_transaction()
        producer.produce(RUNS.name(topics.topic_prefix), snapshot(number), run_key("acme", UUID(int=number)))
        producer.flush()
        (producer.commit_transaction if commit else producer.abort_transaction)()
    with subscribe("runs", settings=topics, stop_at_end=True) as runs:
        assert [run.value.run_id for run in runs if isinstance(run.value, RunSnapshot)] == [UUID(int=1)]


def test_tombstones_say_why(topics: ConnectionSettings) -> None:
    producer = Producer({"bootstrap.servers": topics.kafka})
    key = run_key("acme", UUID(int=1))
    for reason in (b"evicted", b"erased", b"unheard of"):
        producer.produce(RUNS.name(topics.topic_prefix), None, key, headers=[(REASON, reason)])
    producer.produce(RUNS.name(topics.topic_prefix), None, key)
    producer.flush()
    with subscribe("runs", settings=topics, stop_at_end=True) as runs:
        told = [run.value for run in runs]
    assert told == [Tombstone("evicted"), Tombstone("erased"), Tombstone("removed"), Tombstone("removed")]


def test_what_cannot_be_decoded_is_left_out_and_counted(
    topics: ConnectionSettings, client: RunClient, caplog: pytest.LogCaptureFixture
) -> None:
    producer = Producer({"bootstrap.servers": topics.kafka})
    for value in (b"nonsense", None):
        producer.produce(RUN_EVENTS.name(topics.topic_prefix), value, b"acme/x")
    producer.produce(RUN_EVENTS.name(topics.topic_prefix), b"{}", b"\xff")
    producer.flush()
    log(client, "good")
    with subscribe("run-events", settings=topics, stop_at_end=True) as events:
        assert ids(events) == ["good"]
        assert events.skipped == 3
    assert "nonsense" not in caplog.text


def test_what_breaks_the_contract_is_left_out_and_counted_where_that_is_asked(
    topics: ConnectionSettings, client: RunClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A time with a space for its T is read all the same, and breaks the contract; one told as a number is no time.

    A key in capitals is another run's.
    """
    log(client, "good")
    written = read_all(topics)
    ((key, value),) = written.items()
    producer = Producer({"bootstrap.servers": topics.kafka})
    told = orjson.loads(value)
    spaced = "2026-03-02 09:10:00Z"
    for name, said in (("b", spaced), ("c", 1772442600)):
        producer.produce(RUN_EVENTS.name(topics.topic_prefix), orjson.dumps(told | {"id": name, "time": said}), key)
    producer.produce(RUN_EVENTS.name(topics.topic_prefix), orjson.dumps(told | {"id": "d"}), key.upper())
    producer.flush()
    with subscribe("run-events", settings=topics, stop_at_end=True) as events:
        assert ids(events) == ["b", "good"]
        assert events.skipped == 2
    with subscribe("run-events", settings=topics, stop_at_end=True, validate=True) as events:
        assert ids(events) == ["good"]
        assert events.skipped == 3
    assert "breaks the contract: value.time" in caplog.text
    assert "breaks the contract: key" in caplog.text
    assert spaced not in caplog.text
    assert "1772442600" not in caplog.text


def read_all(topics: ConnectionSettings) -> dict[bytes, bytes]:
    """The values of run-events as they stand there, by their keys."""
    consumer = Consumer({"bootstrap.servers": topics.kafka, "group.id": f"{topics.topic_prefix}raw"})
    name = RUN_EVENTS.name(topics.topic_prefix)
    consumer.assign([TopicPartition(name, number, 0) for number in range(topics.partitions)])
    deadline = time.monotonic() + 20
    found: dict[bytes, bytes] = {}
    while not found and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            found[message.key() or b""] = message.value() or b""
    consumer.close()
    return found


def test_a_group_goes_on_where_it_stopped_and_repeats_the_one_not_dealt_with(
    topics: ConnectionSettings, client: RunClient
) -> None:
    log(client, *(str(number) for number in range(6)))
    group = f"{topics.topic_prefix}mine"
    seen: list[str] = []
    with subscribe("run-events", settings=topics, group=group) as events:
        for event in events:
            seen.append(event.value.event_id)
            if len(seen) == 4:
                break
    rest: list[str] = []
    with subscribe("run-events", settings=topics, group=group) as events:
        while (received := events.poll(20 if len(rest) < 3 else 0.5)) is not None:
            rest.append(received.value.event_id)
    assert seen[-1] in rest
    assert sorted([*seen[:-1], *rest]) == [str(number) for number in range(6)]
    with subscribe("run-events", settings=topics, group=group) as events:
        assert events.poll(3) is None


def test_closing_ends_a_wait_in_another_thread(topics: ConnectionSettings) -> None:
    events = subscribe("run-events", settings=topics)
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.extend(events))
    thread.start()
    began = time.monotonic()
    events.close()
    events.close()
    thread.join(10)
    assert not thread.is_alive()
    assert got == []
    assert time.monotonic() - began < 5


async def test_async_for_reads_the_same(topics: ConnectionSettings, client: RunClient) -> None:
    await asyncio.to_thread(log, client, "a", "b")
    async with subscribe("run-events", settings=topics, stop_at_end=True) as events:
        assert sorted([event.value.event_id async for event in events]) == ["a", "b"]


async def test_a_cancelled_wait_loses_no_record(topics: ConnectionSettings, client: RunClient) -> None:
    async with subscribe("run-events", settings=topics) as events:
        seen: list[str] = []
        telling = asyncio.create_task(asyncio.to_thread(log, client, *(str(number) for number in range(50))))
        deadline = time.monotonic() + 30
        while len(seen) < 50:
            assert time.monotonic() < deadline
            try:
                seen.append((await asyncio.wait_for(anext(events), 0.002)).value.event_id)
            except TimeoutError:
                continue
        await telling
    assert sorted(seen, key=int) == [str(number) for number in range(50)]


def test_a_topic_that_is_missing_is_said(topics: ConnectionSettings) -> None:
    with pytest.raises(SubscriptionError, match=r"nowhere\.runs cannot be read"):
        subscribe("runs", kafka=topics.kafka, topic_prefix="nowhere.")
