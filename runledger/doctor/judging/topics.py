"""Judge the topics: there, alike, set as they have to be, with enough copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from runledger.doctor.broker_facts import Cluster, Partition, TopicFacts
from runledger.doctor.findings import Finding, count, lasting, ok, problem, some, unknown, warning
from runledger.doctor.machine_facts import Servers
from runledger.schemas.topics import Topic
from runledger.topic_settings import differences

_MIGRATE = "runledger migrate"
_MEND = "runledger migrate --topic-settings"
_ENOUGH = 3


def judge_topics(topics: Mapping[Topic, TopicFacts]) -> Iterator[Finding]:
    """Every topic exists, and the broker knows it by an id."""
    missing = [one.name for one in topics.values() if not one.exists and not one.forbidden]
    forbidden = [one.name for one in topics.values() if one.forbidden]
    nameless = [one.name for one in topics.values() if one.exists and not one.topic_id]
    if missing:
        yield problem(
            f"{len(missing)} of {len(topics)} topics are missing: {some(missing)}"
            + (" (is RUNLEDGER_TOPIC_PREFIX right?)" if len(missing) == len(topics) else ""),
            "make them",
            _MIGRATE,
        )
    if forbidden:
        yield unknown(f"we may not see {some(forbidden)}", "allow Describe on the topics (docs/security.md)")
    if nameless:
        yield problem(
            "the broker knows no ids of topics, so one that was made anew cannot be noticed",
            "run Kafka 3.0 or newer",
        )
    if not (missing or forbidden or nameless):
        yield ok(f"all {len(topics)} are there")


def judge_partitions(topics: Mapping[Topic, TopicFacts], servers: Servers) -> Iterator[Finding]:
    """Every topic has the number of partitions that the settings say: by it keys find their partition."""
    counts = {one.name: len(one.partitions) for one in topics.values() if one.exists}
    if servers.connection is None or not counts:
        return
    wanted = servers.connection.partitions
    wrong = [f"{name} ({number})" for name, number in counts.items() if number != wanted]
    alike = Counter(counts.values())
    if wrong and len(alike) == 1:
        number = next(iter(alike))
        yield problem(
            f"the topics have {number} partitions, and RUNLEDGER_PARTITIONS is {wanted}",
            "set it to what the topics have; their number never changes",
            f"export RUNLEDGER_PARTITIONS={number}",
        )
    elif wrong:
        usual = alike.most_common(1)[0][0]
        odd = [f"{name} ({number})" for name, number in counts.items() if number != usual]
        yield problem(
            f"topics differ in their number of partitions, most have {usual}: {some(odd)}; records of a key are no "
            "longer "
            "found where they were",
            "partitions cannot be taken away: restore these topics from a backup, or begin a new ledger under another "
            "RUNLEDGER_TOPIC_PREFIX with an empty database",
        )
    else:
        yield ok(f"{wanted} each")


def judge_topic_settings(
    settings: Mapping[Topic, Mapping[str, str]], topics: Mapping[Topic, TopicFacts]
) -> Iterator[Finding]:
    """Settings of topics that exist are those that Runledger needs."""
    wrong = False
    for topic, config in settings.items():
        for one in differences(topic, config, topics[topic].replicas):
            wrong = True
            found = f"{topics[topic].name}: {one.name} is {one.found}, not {one.needed}: {one.harm}"
            yield (problem if one.serious else warning)(found, "set what Runledger needs, of all topics", _MEND)
    if settings and not wrong:
        yield ok("all as they have to be")


def judge_replicas(topics: Mapping[Topic, TopicFacts], cluster: Cluster) -> Iterator[Finding]:
    """Partitions have leaders, all their copies in sync, and more than one copy where there are more brokers."""
    parts = [(one.name, part) for one in topics.values() for part in one.partitions]
    if not parts:
        return
    leaderless = [f"{name}[{part.number}]" for name, part in parts if part.leader < 0]
    behind = [f"{name}[{part.number}]" for name, part in parts if part.leader >= 0 and part.in_sync < part.replicas]
    fewest, brokers = min(part.replicas for _, part in parts), len(cluster.nodes)
    if leaderless:
        yield problem(f"nobody leads {some(leaderless)}", "start the brokers that are away")
    if behind:
        yield warning(
            f"copies of {count(len(behind), 'partition')} are behind or away: {some(behind)}",
            "start the brokers that are away, and see whether their disks and network keep up",
        )
    if brokers >= _ENOUGH and fewest < _ENOUGH:
        yield warning(
            f"some partitions have {count(fewest, 'copy').replace('copys', 'copies')} on {brokers} brokers: what is "
            "only "
            "there is lost with its broker",
            "raise it with kafka-reassign-partitions.sh, and set default.replication.factor=3 before topics are made",
        )
    if not (leaderless or behind) and not (brokers >= _ENOUGH and fewest < _ENOUGH):
        yield ok(f"leaders everywhere, {fewest} of {fewest} copies in sync")


def judge_open_transactions(
    open_since: Mapping[Partition, datetime], now: datetime, patience_seconds: float
) -> Iterator[Finding]:
    """No transaction hangs: nobody reads what stands behind its first record."""
    hanging = {one: since for one, since in open_since.items() if (now - since).total_seconds() > patience_seconds}
    if not hanging:
        yield ok("none is open for long")
        return
    places = [f"{topic}[{number}]" for topic, number in sorted(hanging)]
    seconds = (now - min(hanging.values())).total_seconds()
    yield problem(
        f"a transaction has been open for {lasting(seconds)} in {some(places)}: nothing behind it is read",
        "start the processor (or `runledger dlq replay`) that left it: opening ends it; of another program's, find "
        "and end "
        "it with kafka-transactions.sh",
        "runledger worker processor",
    )
