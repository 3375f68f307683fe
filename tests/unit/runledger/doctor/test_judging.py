"""Findings made of facts, where a real set-up of that kind would be hard to have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runledger.doctor.broker_facts import (
    Bounds,
    BrokerClock,
    BrokerNode,
    Cluster,
    Group,
    Letters,
    PartitionFacts,
    Reader,
    TopicFacts,
    Waiting,
)
from runledger.doctor.database_facts import Connections, Database, Reading, Session, Sessions
from runledger.doctor.findings import Finding, lasting, some
from runledger.doctor.judging.broker import judge_broker_settings, judge_transactions
from runledger.doctor.judging.clocks import ahead, judge_broker_clock, judge_database_clock
from runledger.doctor.judging.database import judge_connections, judge_database, judge_reading, judge_sessions
from runledger.doctor.judging.machine import judge_disk, judge_open_files, judge_services, needed_files
from runledger.doctor.judging.readers import judge_letters, judge_stage_positions, reader_judge
from runledger.doctor.judging.topics import judge_replicas, judge_topics
from runledger.doctor.machine_facts import Disk, Servers, Service
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import Position
from runledger.schemas.topics import ALL_TOPICS, RUN_EVENTS, RUNS
from runledger.stack.paths import MIN_FREE_BYTES

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GIB = 1024**3


def verdicts(found: Iterable[Finding]) -> list[str]:
    return [one.verdict for one in found]


def brokers(number: int) -> Cluster:
    return Cluster(tuple(BrokerNode(one, f"broker-{one}:9092") for one in range(number)))


def copies(replicas: int, in_sync: int, leader: int = 1) -> TopicFacts:
    return TopicFacts("t", "id", (PartitionFacts(0, leader, replicas, in_sync),))


@pytest.mark.parametrize(
    ("facts", "number", "verdict"),
    [
        (copies(1, 1), 1, ["ok"]),
        (copies(3, 3), 3, ["ok"]),
        (copies(3, 2), 3, ["warning"]),
        (copies(1, 1), 3, ["warning"]),
        (copies(3, 0, leader=-1), 3, ["problem"]),
        (TopicFacts("t"), 3, []),
    ],
)
def test_copies_are_counted_against_the_brokers(facts: TopicFacts, number: int, verdict: list[str]) -> None:
    assert verdicts(judge_replicas({RUN_EVENTS: facts}, brokers(number))) == verdict


@pytest.mark.parametrize(
    ("number", "settings", "internal", "verdict"),
    [
        (1, {}, None, ["problem", "problem"]),
        (3, {}, None, ["ok"]),
        (
            1,
            {"transaction.state.log.replication.factor": "1", "offsets.topic.replication.factor": "1"},
            None,
            ["ok"],
        ),
        (3, {}, copies(3, 1), ["problem"]),
        (3, {}, copies(3, 0, leader=-1), ["problem", "problem"]),
    ],
    ids=["too-few-brokers", "enough", "set-for-one", "too-few-in-sync", "no-leader"],
)
def test_transactions_need_topics_of_the_brokers_own(
    number: int, settings: dict[str, str], internal: TopicFacts | None, verdict: list[str]
) -> None:
    topics = {name: internal or TopicFacts(name) for name in ("__transaction_state", "__consumer_offsets")}
    assert verdicts(judge_transactions(brokers(number), settings, topics)) == verdict


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({}, ["ok"]),
        ({"auto.create.topics.enable": "true"}, ["warning"]),
        ({"transaction.max.timeout.ms": "5000"}, ["problem"]),
        ({"group.min.session.timeout.ms": "8000"}, ["problem"]),
    ],
    ids=["defaults", "topics-by-themselves", "short-transactions", "long-sessions"],
)
def test_the_brokers_settings_allow_what_workers_ask_for(settings: dict[str, str], verdict: list[str]) -> None:
    assert verdicts(judge_broker_settings(settings)) == verdict


def test_a_broker_without_ids_of_topics_is_too_old() -> None:
    (found,) = judge_topics({RUN_EVENTS: TopicFacts("t", "", (PartitionFacts(0, 1, 1, 1),))})
    assert found.verdict == "problem"
    assert "3.0" in found.remedy


@pytest.mark.parametrize(("stamp", "seconds"), [(100.0, 0.0), (105.0, 0.0), (110.0, 0.0), (130.0, 20.0), (70.0, -30.0)])
def test_a_clock_differs_by_what_the_looks_around_it_do_not_explain(stamp: float, seconds: float) -> None:
    assert ahead(stamp, 100.0, 110.0) == seconds


@pytest.mark.parametrize(
    ("clock", "verdict"),
    [
        (BrokerClock(None, None), "ok"),
        (BrokerClock(NOW - timedelta(days=3), None), "ok"),
        (BrokerClock(NOW, 1.0), "ok"),
        (BrokerClock(NOW, -20.0), "warning"),
        (BrokerClock(NOW, 4000.0), "problem"),
    ],
    ids=["nothing-logged", "nothing-lately", "close", "behind", "far-ahead"],
)
def test_the_brokers_clock(clock: BrokerClock, verdict: str) -> None:
    assert verdicts(judge_broker_clock(clock, NOW)) == [verdict]


@pytest.mark.parametrize(
    ("seconds", "off", "verdict"), [(2, 0, "ok"), (-20, 0, "warning"), (20, 19, "ok"), (900, 1, "problem")]
)
def test_the_databases_clock_is_known_as_well_as_the_answer_was_quick(seconds: float, off: float, verdict: str) -> None:
    assert verdicts(judge_database_clock(Database(ahead_seconds=seconds, off_seconds=off))) == [verdict]


def reader(
    members: int, state: str = "Stable", *, seconds: float | None = None, moves: bool = False
) -> dict[str, Reader]:
    waiting = {} if seconds is None else {("t", 0): Waiting(7, NOW - timedelta(seconds=seconds), moves)}
    return {"sink": Reader(Group("x.sink", state, members, {}), waiting)}


@pytest.mark.parametrize(
    ("readers", "verdict", "said"),
    [
        (reader(1), "ok", "1 process, nothing waits"),
        (reader(2, seconds=5), "ok", "2 processes, 7 records wait"),
        (reader(0, "Empty"), "problem", "no sink runs"),
        (reader(0, "Dead", seconds=90), "problem", "7 records wait, the oldest for 1 min 30 s"),
        (reader(1, seconds=90), "problem", "does not go on in t[0]"),
        (reader(1, seconds=90, moves=True), "warning", "it goes on"),
        (reader(1, "PreparingRebalance"), "warning", "PreparingRebalance"),
    ],
)
def test_a_reader_is_judged_by_its_members_and_by_what_waits(
    readers: dict[str, Reader], verdict: str, said: str
) -> None:
    (found,) = reader_judge("sink")(readers, NOW, 60)
    assert found.verdict == verdict
    assert said in found.found


POSITION = Position("runs", 0, 5, "source", 1, changelog_id="states")


@pytest.mark.parametrize(
    ("held", "log", "states", "said"),
    [
        (POSITION, Bounds(0, 9, 9), Bounds(0, 4, 4), ""),
        (None, Bounds(0, 9, 9), Bounds(0, 0, 0), ""),
        (None, Bounds(3, 9, 9), Bounds(0, 0, 0), "the log begins at 3"),
        (None, Bounds(0, 9, 9), Bounds(0, 4, 4), "no position stands beside it"),
        (POSITION, Bounds(6, 9, 9), Bounds(0, 4, 4), "the log holds 6 to 9"),
        (POSITION, Bounds(0, 4, 4), Bounds(0, 4, 4), "the log holds 0 to 4"),
        (POSITION, Bounds(0, 9, 9), Bounds(2, 4, 4), "was emptied"),
        (Position("runs", 0, 5, "other", 1), Bounds(0, 9, 9), Bounds(0, 4, 4), "recreated or re-partitioned"),
        (Position("runs", 0, 5, "source", 1, changelog_id="old"), Bounds(0, 9, 9), Bounds(0, 4, 4), "was recreated"),
    ],
)
def test_a_stages_position_is_judged_as_its_store_would(
    held: Position | None, log: Bounds, states: Bounds, said: str
) -> None:
    topics = {topic: TopicFacts(topic.suffix) for topic in ALL_TOPICS}
    topics[RUN_EVENTS] = TopicFacts("run-events", "source", (PartitionFacts(0, 1, 1, 1),))
    topics[RUNS] = TopicFacts("runs", "states", (PartitionFacts(0, 1, 1, 1),))
    bounds = {("run-events", 0): log, ("runs", 0): states, ("run-positions", 0): Bounds(0, 1, 1)}
    positions = {} if held is None else {("run-events", 0): held}
    (found,) = judge_stage_positions(positions, bounds, topics)
    assert (found.verdict == "problem") == bool(said)
    assert said in found.found


@pytest.mark.parametrize(
    ("judge", "fact", "verdict"),
    [
        (judge_disk, Disk("/x", MIN_FREE_BYTES - 1, 100 * GIB), ["problem"]),
        (judge_disk, Disk("/x", GIB, 100 * GIB), ["warning"]),
        (judge_disk, Disk("/x", 50 * GIB, 100 * GIB), ["ok"]),
        (judge_disk, None, []),
        (judge_services, (Service("sink", "healthy", 1, None, "/log"),), ["ok"]),
        (judge_services, (Service("sink", "backing_off", 4, 78, "/log"),), ["problem"]),
        (judge_services, (Service("sink", "starting", 0, None, "/log"),), ["warning"]),
        (judge_services, (Service("sink", "healthy", 9, 70, "/log"),), ["warning"]),
        (judge_services, None, []),
        (judge_connections, Connections(10, 97, "max_connections"), ["ok"]),
        (judge_connections, Connections(90, 97, "max_connections"), ["warning"]),
        (judge_connections, Connections(97, 97, "max_connections"), ["problem"]),
        (judge_database, Database(version=130_011), ["problem"]),
        (judge_database, Database(version=140_000), ["ok"]),
        (judge_reading, Reading(replica=True, behind_seconds=2), ["ok"]),
        (judge_reading, Reading(replica=True, behind_seconds=200), ["warning"]),
        (judge_sessions, Sessions((), all_seen=True), ["ok"]),
        (judge_sessions, Sessions((), all_seen=False), ["unknown"]),
        (judge_sessions, Sessions((Session(7, "u", "", 900, "idle in transaction", 0),), all_seen=True), ["warning"]),
    ],
)
def test_limits(judge: Callable[[Any], Iterable[Finding]], fact: object, verdict: list[str]) -> None:
    assert verdicts(judge(fact)) == verdict


def test_more_partitions_need_more_files() -> None:
    servers = Servers(ConnectionSettings(partitions=64), (), "/x", local=False)
    assert needed_files(64) > needed_files(4)
    assert verdicts(judge_open_files(1024, servers)) == ["problem"]
    assert verdicts(judge_open_files(-1, servers)) == ["ok"]


def test_dead_letters_are_counted_by_reason() -> None:
    counts = {("a", "invalid"): 2, ("b", "invalid"): 1, ("a", "empty"): 9}
    (found,) = judge_letters(Letters(counts, NOW - timedelta(hours=2)), NOW)
    assert found.found == "12 records refused and waiting, the first for 2 h: 9 empty, 3 invalid"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (9.96, "10.0 s"), (59, "59 s"), (90, "1 min 30 s"), (3600, "1 h"), (180_000, "2 d 2 h")],
)
def test_times_are_told_in_two_units(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


def test_of_many_things_the_first_are_named() -> None:
    assert some(["a"]) == "a"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
