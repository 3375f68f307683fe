from __future__ import annotations

from pathlib import Path

import pytest

from runledger.schemas.kafka_rights import RIGHTS, grants
from runledger.schemas.topics import ALL_TOPICS, Topic
from runledger.sinks.records import SOURCES

DOCUMENT = Path(__file__).parents[3] / "docs" / "security.md"
_PARTIES = {
    "producers": "producer",
    "stage 1": "processor",
    "stage 2": "processor",
    "stages 1 and 2": "processor",
    "sink": "sink",
    "outbox relay": "relay",
    "scoring workers": "scorer",
    "operators": "operator",
}
"""{who, in the words of the topics' table: kind of process}; subscribers are anybody."""


def _parties(words: str) -> set[str]:
    return {kind for who, kind in _PARTIES.items() if who in words}


def table() -> str:
    """The rights as the document shows them."""
    lines = [f"| topic | {' | '.join(RIGHTS)} |", "|---" * (len(RIGHTS) + 1) + "|"]
    for topic in ALL_TOPICS:
        marks = [
            "R" * (topic in rights.reads) + "W" * (topic in rights.writes) + "D" * (topic in rights.describes)
            for rights in RIGHTS.values()
        ]
        lines.append(f"| {topic.suffix} | {' | '.join(marks)} |")
    return "\n".join(lines)


def commands() -> str:
    """The ACLs as commands of Kafka's own tool."""
    lines = []
    for kind, rights in RIGHTS.items():
        for one in grants(rights):
            pattern = " --resource-pattern-type prefixed" if one.prefixed else ""
            line = f"kafka-acls.sh $BROKER --add --allow-principal User:{kind} --operation {one.operation}"
            resource = "cluster" if one.resource == "cluster" else f"{one.resource} {one.name}"
            lines.append(f"{line} --{resource}{pattern}")
    return "\n".join(lines)


@pytest.mark.parametrize("shown", [table(), commands()], ids=["table", "commands"])
def test_the_document_shows_the_rights_as_they_are(shown: str) -> None:
    assert shown in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.suffix)
def test_rights_are_those_of_the_table_of_topics(topic: Topic) -> None:
    assert {kind for kind, rights in RIGHTS.items() if topic in rights.writes} >= _parties(topic.written_by)
    assert {kind for kind, rights in RIGHTS.items() if topic in rights.reads} >= _parties(topic.read_by)
    # An operator resolves failures, the watch looks how far the stages are, dead letters are read again, the doctor
    # looks at everything.
    beside = {"operator", "watch", "dlq", "doctor"}
    assert {kind for kind, rights in RIGHTS.items() if topic in rights.writes} - _parties(topic.written_by) <= beside
    changelog = {"processor"} if "changelog" in topic.written_by else set()
    extra = {kind for kind, rights in RIGHTS.items() if topic in rights.reads} - _parties(topic.read_by)
    assert extra <= beside | changelog


def test_the_sink_may_read_what_it_reads() -> None:
    assert set(RIGHTS["sink"].reads) == set(SOURCES)


def test_nobody_may_delete_or_alter() -> None:
    operations = {one.operation for rights in RIGHTS.values() for one in grants(rights)}
    assert operations == {"Read", "Write", "Create", "Describe", "DescribeConfigs"}
    assert not any(one.operation == "Write" for one in grants(RIGHTS["doctor"]))
