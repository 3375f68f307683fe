"""What the dashboard sees behind the scenes, and the changes it makes, with a real broker."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from runledger.analytics.dashboard.backstage import BackstageError, LetterSeen, LettersLook, Word
from runledger.analytics.dashboard.glimpses import LookError
from runledger.backstage import letters as letters_module
from runledger.backstage.settings import BackstageSettings
from runledger.backstage.stage import Stage
from runledger.schemas.codec import EVENT_ID_HEADER, decode_event, encode_event
from runledger.schemas.dead_letters import DeadLetter
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.run_events import FailureResolved
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import DEAD_LETTERS, RUN_EVENTS, RUNS, SCORING_JOBS, Topic
from tests.integration.processors.partition import until
from tests.unit.processors.logs import event, run_of

pytestmark = pytest.mark.integration

KEY = f"p/{run_of(0)}".encode()
KIND = fingerprint("p", "", "disk full")


@pytest.fixture
def settings(topics: ConnectionSettings) -> BackstageSettings:
    """Of topics of the test's own."""
    return BackstageSettings(kafka=topics.kafka, topic_prefix=topics.topic_prefix)


@pytest.fixture
def stage(settings: BackstageSettings) -> Stage:
    """What is tried."""
    return Stage(settings)


def produce(settings: ConnectionSettings, topic: Topic, partition: int, count: int) -> None:
    """Put records into a partition."""
    producer = Producer({"bootstrap.servers": settings.kafka})
    for _ in range(count):
        producer.produce(topic.name(settings.topic_prefix), b"{}", b"k", partition)
    assert producer.flush(20) == 0


def refuse(settings: ConnectionSettings, offset: int, key: bytes = KEY, topic: Topic = RUN_EVENTS) -> str:
    """Put a valid event aside, as a reader of an earlier version would have; return its place."""
    value = encode_event(event("used", 0, f"u{offset}"))
    original = [(EVENT_ID_HEADER, f"u{offset}".encode())]
    letter = DeadLetter(
        "unknown_type", "no", topic.name(settings.topic_prefix), 0, offset, "runs", key, value, 1, original
    )
    producer = Producer({"bootstrap.servers": settings.kafka})
    box = DEAD_LETTERS.name(settings.topic_prefix)
    producer.produce(box, letter.value, letter.key, 0, headers=[*letter.headers()])
    assert producer.flush(20) == 0
    return f"{topic.suffix}/0/{offset}"


def records(settings: ConnectionSettings) -> Iterator[bytes]:
    """Give what stands in run-events, whatever its partition."""
    reader = Consumer({"bootstrap.servers": settings.kafka, "group.id": "none", "enable.partition.eof": True})
    name = RUN_EVENTS.name(settings.topic_prefix)
    left = 4
    reader.assign([TopicPartition(name, number, 0) for number in range(left)])
    end = time.monotonic() + 20
    while left and time.monotonic() < end:
        message = reader.poll(0.2)
        if message is not None and message.error() is not None:
            left -= 1
        elif message is not None:
            yield message.value() or b""
    reader.close()
    assert not left


def letters(stage: Stage) -> LettersLook:
    """Look, again where the partitions of topics just made have no leader yet."""

    def look() -> LettersLook | None:
        try:
            return stage.look_at_letters()
        except LookError:
            return None

    found = until(look)
    assert found is not None
    return found


def test_the_broker_tells_ends_positions_and_members(settings: BackstageSettings, stage: Stage) -> None:
    produce(settings, RUN_EVENTS, 1, 5)
    produce(settings, SCORING_JOBS, 0, 3)
    member = Consumer({"bootstrap.servers": settings.kafka, "group.id": f"{settings.topic_prefix}processors"})
    member.commit(offsets=[TopicPartition(RUN_EVENTS.name(settings.topic_prefix), 1, 2)], asynchronous=False)
    look = stage.look_at_broker()
    assert (look.ends["run-events", 1], look.ends["run-events", 0], look.ends["scoring-jobs", 0]) == (5, 0, 3)
    assert look.begins["run-events", 1] == 0
    assert look.stands == {"processor": {("run-events", 1): 2}, "scorer": {}}
    assert look.members == {"processor": 0, "sink": 0, "scorer": 0}
    began = time.monotonic()
    stage.look_at_broker()
    assert time.monotonic() - began < 2
    member.close()


def test_a_broker_that_is_away_is_said_in_time_and_nothing_is_sent() -> None:
    stage = Stage(BackstageSettings(kafka="127.0.0.1:1"))
    began = time.monotonic()
    with pytest.raises(LookError, match=r"^the broker does not answer$") as refused:
        stage.look_at_broker()
    assert "127.0.0.1:1" in refused.value.detail
    assert time.monotonic() - began < 6
    for change in (
        lambda: stage.replay("p", "run-events/0/1", "me"),
        lambda: stage.resolve("p", Word(KIND, None, "me", "w")),
    ):
        with pytest.raises(BackstageError, match="nothing was sent"):
            change()


def test_letters_are_seen_without_what_they_hold(settings: BackstageSettings, stage: Stage) -> None:
    places = [
        refuse(settings, 10),
        refuse(settings, 11, b"other/x"),
        refuse(settings, 12, b"\xff"),
        refuse(settings, 13, topic=RUNS),
    ]
    found = letters(stage)
    assert found.is_whole
    assert [(one.place, one.project_key) for one in reversed(found.letters)] == list(
        zip(places, ["p", "other", None, "p"], strict=True)
    )
    newest: LetterSeen = found.letters[-1]
    assert (newest.reason, newest.reader, newest.state, newest.hindrance) == ("unknown_type", "runs", "waiting", None)
    assert found.letters[0].hindrance == "its topic holds each key's newest state"
    assert "sage" not in repr(found)


def test_of_many_letters_the_newest_are_seen(
    settings: BackstageSettings, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters_module, "NEWEST", 2)
    for offset in range(3):
        refuse(settings, offset)
    found = letters(stage)
    assert ([one.place for one in found.letters], found.is_whole) == (["run-events/0/2", "run-events/0/1"], False)


def test_a_letter_is_replayed_once_for_ever_and_by_its_own_project_alone(
    settings: BackstageSettings, stage: Stage
) -> None:
    place = refuse(settings, 7)
    letters(stage)  # every partition has a leader by now
    assert stage.replay("other", place, "intruder").done == 0
    assert stage.replay("p", place, "me").done == 1
    assert stage.replay("p", place, "me").done == 0
    assert [decode_event(value).event_id for value in records(settings)] == ["u7"]
    (letter,) = letters(stage).letters
    assert (letter.state, letter.dealt_with_by) == ("replayed", "me")


def test_what_cannot_be_sent_again_is_left_with_the_reason(settings: BackstageSettings, stage: Stage) -> None:
    report = stage.replay("p", refuse(settings, 7, topic=RUNS), "me")
    assert report.done == 0
    assert "newest state" in next(iter(report.left.values()))
    with pytest.raises(BackstageError, match="no place of a record"):
        stage.replay("p", "run-events/0", "me")


def test_a_word_is_an_event_in_the_log_like_that_of_the_command(settings: BackstageSettings, stage: Stage) -> None:
    word = Word(KIND, "Emptied it", "Zoë", "5c1c1e9a-0000-5000-8000-000000000000")
    stage.resolve("p", word)
    (value,) = records(settings)
    told = decode_event(value)
    assert isinstance(told, FailureResolved)
    assert (told.project_key, told.event_id) == ("p", word.event_id)
    assert (told.data.fingerprint, told.data.note, told.data.by) == (KIND, "Emptied it", "Zoë")
    with pytest.raises(BackstageError, match="fingerprint"):
        stage.resolve("p", Word("short", None, "me", "w"))
