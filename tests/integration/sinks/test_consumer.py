"""The sink from end to end: real topics, real tables."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from structlog.testing import capture_logs

from runledger.schemas.codec import encode, encode_event
from runledger.schemas.dead_letters import OFFSET, REASON, TOPIC
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import RunHeartbeat
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import DEAD_LETTERS, PARTITIONER, RUN_EVENTS, RUN_LOG, RUNS, SETTINGS, Topic
from runledger.sinks.consumer import consume
from runledger.sinks.errors import PositionConflictError, SinkError, StopLoudlyError
from runledger.sinks.migrate import migrate
from runledger.sinks.records import Record
from runledger.sinks.settings import SinkSettings
from tests.unit.sinks.build import (
    NOON,
    PROJECT,
    health_record,
    incident_record,
    logged_record,
    outcome,
    run_number,
    run_record,
    score,
    score_record,
    settings_record,
    settings_tombstone,
    snapshot,
)

pytestmark = pytest.mark.integration


class _Pipe:
    """Topics and tables of one test."""

    def __init__(self, topics: ConnectionSettings, database: str) -> None:
        self.settings = SinkSettings(
            kafka=topics.kafka,
            postgres=database,
            topic_prefix=topics.topic_prefix,
            session_timeout_seconds=6,
            retry_seconds=0.1,
        )
        self.producer = Producer(
            {"bootstrap.servers": topics.kafka, "partitioner": PARTITIONER, "enable.idempotence": True}
        )
        self.connection = psycopg.connect(database, autocommit=True)

    def name(self, topic: Topic) -> str:
        return topic.name(self.settings.topic_prefix)

    def send(self, *records: Record) -> None:
        for one in records:
            name = self.settings.topic_prefix + one.suffix
            self.producer.produce(name, one.value, one.key, headers=[(REASON, one.reason)] if one.reason else [])
        assert self.producer.flush(30) == 0

    def send_events(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            beat = RunHeartbeat(
                event_id=f"h-{number}", project_key=PROJECT, run_id=run_number(number % 50), occurred_at=NOON
            )
            self.producer.produce(self.name(RUN_EVENTS), encode_event(beat), run_key(PROJECT, beat.run_id))
        assert self.producer.flush(30) == 0

    def count(self, query: str) -> int:
        found = self.connection.execute(query.encode()).fetchone()
        assert found is not None
        return int(found[0])

    def has_stored(self, least: int) -> Callable[[], bool]:
        return lambda: self.count("SELECT count(*) FROM run_event") >= least

    @contextmanager
    def sink(self, **changes: Any) -> Iterator[threading.Thread]:  # noqa: ANN401  # any setting
        """Run a sink beside the test; what it raises stands in `failures`."""
        stopping = threading.Event()
        self.failures: list[Exception] = []

        def run() -> None:
            try:
                consume(self.settings.model_copy(update=changes), stopping)
            except (SinkError, psycopg.Error) as error:
                self.failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield thread
        finally:
            stopping.set()
            thread.join(30)
            assert not thread.is_alive()

    def dead_letters(self) -> list[dict[str, Any]]:
        """Return the headers of what stands in dead-letters."""
        reader = Consumer({"bootstrap.servers": self.settings.kafka, "group.id": "none", "enable.partition.eof": True})
        reader.assign([TopicPartition(self.name(DEAD_LETTERS), number, 0) for number in range(4)])
        found: list[dict[str, Any]] = []
        ends = 0
        while ends < 4:
            message = reader.poll(10)
            assert message is not None
            if message.error():
                ends += 1
            else:
                found.append(dict(message.headers() or []))
        reader.close()
        return found


def _until(true: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        threading.Event().wait(0.05)


@pytest.fixture
def pipe(topics: ConnectionSettings, database: str) -> Iterator[_Pipe]:
    migrate(database)
    made = _Pipe(topics, database)
    yield made
    made.connection.close()


def test_the_sink_writes_all_its_topics_and_hints_no_lag(pipe: _Pipe) -> None:
    pipe.send_events(300)
    pipe.send(
        run_record(0, snapshot(1)),
        logged_record(0, outcome(1)),
        health_record(0),
        incident_record(0),
        score_record(0, score(1)),
    )
    with pipe.sink():
        _until(lambda: pipe.count("SELECT count(*) FROM run_event") == 300)
        _until(lambda: pipe.count("SELECT count(*) FROM agent_run_log WHERE rlhf_scores IS NOT NULL") == 1)
        _until(lambda: pipe.count("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset") == 305)
        assert pipe.count("SELECT count(*) FROM agent_health") == 1
        assert pipe.count("SELECT count(*) FROM incident") == 1
        assert pipe.count("SELECT count(*) FROM consumer_offset") == 28
    assert pipe.failures == []
    assert pipe.dead_letters() == []


def test_a_sink_goes_on_where_postgres_stands_whatever_the_group_says(pipe: _Pipe) -> None:
    pipe.send_events(100)
    with pipe.sink():
        _until(lambda: pipe.count("SELECT count(*) FROM run_event") == 100)
    group = Consumer({"bootstrap.servers": pipe.settings.kafka, "group.id": pipe.settings.group})
    group.commit(offsets=[TopicPartition(pipe.name(RUN_EVENTS), number, 0) for number in range(4)], asynchronous=False)
    group.close()
    pipe.send_events(100, first=100)
    with pipe.sink():
        _until(lambda: pipe.count("SELECT count(*) FROM run_event") == 200)
    assert pipe.failures == []


def test_one_hostile_value_among_500_is_dead_lettered_and_499_are_stored(pipe: _Pipe) -> None:
    records = [run_record(number, snapshot(number)) for number in range(500)]
    records[250] = run_record(250, snapshot(250, summary="a\x00b"))
    pipe.send(*records)
    with pipe.sink():
        _until(lambda: pipe.count("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset") == 500)
    assert pipe.count("SELECT count(*) FROM agent_run") == 499
    letters = pipe.dead_letters()
    assert [(letter[REASON], letter[TOPIC]) for letter in letters] == [
        (b"refused_by_database", pipe.name(RUNS).encode())
    ]
    assert pipe.failures == []


def test_undecodable_input_is_dead_lettered_but_not_that_of_run_events(pipe: _Pipe) -> None:
    pipe.producer.produce(pipe.name(RUN_EVENTS), b"{", b"demo/x")
    pipe.producer.produce(pipe.name(RUNS), b"{", b"demo/x")
    pipe.producer.produce(pipe.name(RUN_LOG), None, b"demo/sage")
    pipe.producer.flush(30)
    with pipe.sink():
        _until(lambda: pipe.count("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset") == 3)
    assert sorted((letter[REASON], letter[OFFSET]) for letter in pipe.dead_letters()) == [
        (b"empty", b"0"),
        (b"not_json", b"0"),
    ]


def test_a_flood_of_dead_letters_stops_the_sink_again_after_a_restart_unless_it_is_overridden(pipe: _Pipe) -> None:
    pipe.send(*(run_record(number, snapshot(number)) for number in range(4)))
    for _ in range(30):
        pipe.producer.produce(pipe.name(RUNS), b"{}", b"demo/x")
    pipe.producer.flush(30)
    for _ in range(3):
        with pipe.sink(dead_letter_limit=10) as thread:
            thread.join(30)
        assert [type(error) for error in pipe.failures] == [StopLoudlyError]
        assert "RUNLEDGER_DEAD_LETTER_LIMIT" in str(pipe.failures[0])
        assert len(pipe.dead_letters()) == 10
    assert pipe.count("SELECT count(*) FROM agent_run") == 4
    with pipe.sink(dead_letter_limit=0):
        _until(lambda: pipe.count("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset") == 34)
    assert len(pipe.dead_letters()) == 30
    assert pipe.failures == []


def test_markers_behind_the_last_record_leave_no_lag_and_aborted_records_no_row(pipe: _Pipe) -> None:
    writer = Producer({"bootstrap.servers": pipe.settings.kafka, "transactional.id": pipe.settings.topic_prefix + "t"})
    writer.init_transactions(30)
    for number, commit in enumerate((True, False)):
        writer.begin_transaction()
        state = snapshot(number)
        writer.produce(pipe.name(RUNS), encode(state), run_key(PROJECT, state.run_id), partition=2)
        writer.flush(30)
        if commit:
            writer.commit_transaction(30)
        else:
            writer.abort_transaction(30)
    with pipe.sink():
        _until(lambda: pipe.count("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset") == 4)
    assert pipe.connection.execute("SELECT run_id FROM agent_run").fetchall() == [(run_number(0),)]


def test_without_read_committed_an_aborted_record_makes_a_row(pipe: _Pipe) -> None:
    writer = Producer({"bootstrap.servers": pipe.settings.kafka, "transactional.id": pipe.settings.topic_prefix + "t"})
    writer.init_transactions(30)
    writer.begin_transaction()
    writer.produce(pipe.name(RUNS), encode(snapshot(0)), run_key(PROJECT, run_number(0)))
    writer.flush(30)
    writer.abort_transaction(30)
    with pipe.sink(testing=True, unsafe_disable=frozenset({"read_committed"})):
        _until(lambda: pipe.count("SELECT count(*) FROM agent_run") == 1)


def test_a_sink_whose_position_was_moved_stops(pipe: _Pipe) -> None:
    pipe.send_events(20)
    with pipe.sink() as thread:
        _until(lambda: pipe.count("SELECT count(*) FROM run_event") == 20)
        pipe.connection.execute("UPDATE consumer_offset SET next_offset = next_offset + 1")
        pipe.send_events(20, first=20)
        thread.join(30)
    assert [type(error) for error in pipe.failures] == [PositionConflictError]


def test_a_sink_stops_where_the_topic_was_recreated(pipe: _Pipe) -> None:
    pipe.send_events(5)
    with pipe.sink():
        _until(lambda: pipe.count("SELECT count(*) FROM run_event") == 5)
    pipe.connection.execute("UPDATE consumer_offset SET topic_id = 'another' WHERE topic LIKE '%run-events'")
    with pipe.sink() as thread:
        thread.join(30)
    assert [type(error) for error in pipe.failures] == [StopLoudlyError]


def test_a_sink_stops_where_the_log_has_lost_its_beginning(pipe: _Pipe) -> None:
    pipe.send_events(50)
    admin = AdminClient({"bootstrap.servers": pipe.settings.kafka})
    cut = [TopicPartition(pipe.name(RUN_EVENTS), number, 3) for number in range(4)]
    for done in admin.delete_records(cut).values():
        done.result()
    with pipe.sink() as thread:
        thread.join(30)
    assert [type(error) for error in pipe.failures] == [StopLoudlyError]
    assert pipe.count("SELECT count(*) FROM run_event") == 0


def test_a_sink_stops_where_a_topic_is_not_in_log_time(pipe: _Pipe) -> None:
    admin = AdminClient({"bootstrap.servers": pipe.settings.kafka})
    producers_time = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ConfigResource.Type.TOPIC, pipe.name(RUNS), incremental_configs=[producers_time])
    for done in admin.incremental_alter_configs([topic]).values():
        done.result()
    with pipe.sink() as thread:
        for number in range(1, 100):  # the broker takes the new setting over a moment after it has said so
            pipe.send(run_record(0, snapshot(number)))
            thread.join(0.3)
            if not thread.is_alive():
                break
    assert [type(error) for error in pipe.failures] == [StopLoudlyError]


def test_a_sink_waits_for_a_lost_connection_and_repeats_nothing(pipe: _Pipe) -> None:
    with pipe.sink():
        for round_number in range(5):
            pipe.send_events(200, first=200 * round_number)
            pipe.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'runledger'"
            )
        _until(lambda: pipe.count("SELECT count(DISTINCT event_id) FROM run_event") == 1000)
    assert pipe.count("SELECT count(*) FROM run_event") == 1000
    assert pipe.failures == []
    assert pipe.dead_letters() == []


def test_a_sink_waits_for_a_database_that_only_reads(pipe: _Pipe) -> None:
    name = pipe.connection.info.dbname
    pipe.connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    pipe.connection.execute("SET default_transaction_read_only = off")
    pipe.send_events(10)
    with capture_logs() as logs, pipe.sink():
        _until(lambda: sum(line.get("reason") == "25006" for line in logs) > 2)
        pipe.connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
        _until(lambda: pipe.count("SELECT count(*) FROM run_event") == 10)
    assert pipe.failures == []


def test_sinks_whose_partitions_move_while_the_database_is_away_read_on_afterwards(pipe: _Pipe) -> None:
    """Kafka's client keeps a partition paused when it is assigned anew."""
    name = pipe.connection.info.dbname
    pipe.send_events(20)
    with capture_logs() as logs, pipe.sink():
        _until(pipe.has_stored(20))
        pipe.connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        pipe.connection.execute("SET default_transaction_read_only = off")
        pipe.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'runledger'"
        )
        pipe.send_events(20, first=20)
        _until(lambda: sum(line.get("reason") == "25006" for line in logs) > 2)
        with pipe.sink():
            _until(lambda: sum(line["event"] == "partitions_assigned" for line in logs) > 2)
            pipe.connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
            pipe.send_events(20, first=40)
            _until(pipe.has_stored(60))
    assert pipe.count("SELECT count(*) FROM run_event") == 60
    assert pipe.failures == []


def test_sinks_that_join_and_leave_write_each_record_once(pipe: _Pipe) -> None:
    sent = 0
    with pipe.sink():
        for _ in range(2):
            with pipe.sink():
                for _ in range(4):
                    pipe.send_events(250, first=sent)
                    sent += 250
                    _until(pipe.has_stored(sent - 249))
        _until(lambda: pipe.count("SELECT count(DISTINCT event_id) FROM run_event") == sent)
    assert pipe.count("SELECT count(*) FROM run_event") == sent
    assert pipe.failures == []


def test_settings_come_through_the_sink_and_what_is_none_is_dead_lettered(pipe: _Pipe) -> None:
    pipe.send(
        settings_record(0, name="Sage", role="Backend", expected_interval_seconds=3600),
        settings_record(0, None, expected_interval_seconds=60),
        settings_record(0, "nova", name="Nova"),
        settings_tombstone(0, "nova"),
    )
    pipe.producer.produce(pipe.name(SETTINGS), b'{"project_key": "demo", "agent_id": "other"}', b"demo/sage")
    pipe.producer.produce(pipe.name(SETTINGS), b"{", b"demo/sage")
    pipe.producer.produce(pipe.name(SETTINGS), b'{"project_key": "No", "agent_id": "a"}', b"No/a")
    pipe.producer.flush(30)
    with pipe.sink():
        _until(lambda: pipe.count("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset") == 7)
    query = b"SELECT agent_id, name, role, expected_interval_seconds FROM agent ORDER BY agent_id"
    assert pipe.connection.execute(query).fetchall() == [("nova", None, None, None), ("sage", "Sage", "Backend", 3600)]
    assert pipe.count("SELECT expected_interval_seconds FROM project WHERE project_key = 'demo'") == 60
    assert sorted(letter[REASON] for letter in pipe.dead_letters()) == [b"invalid", b"not_json", b"wrong_key"]
    assert pipe.failures == []


def test_a_sink_that_has_never_read_settings_begins_them_at_their_beginning(pipe: _Pipe) -> None:
    """As after an upgrade: the positions of the other topics stand."""
    pipe.send_events(20)
    pipe.send(settings_record(0, name="Sage"))
    with pipe.sink():
        _until(lambda: pipe.count("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset") == 21)
    pipe.connection.execute("DELETE FROM consumer_offset WHERE topic LIKE '%settings'; DELETE FROM agent")
    with pipe.sink():
        _until(lambda: pipe.count("SELECT count(*) FROM agent WHERE name = 'Sage'") == 1)
    assert pipe.count("SELECT count(*) FROM run_event") == 20
    assert pipe.failures == []
