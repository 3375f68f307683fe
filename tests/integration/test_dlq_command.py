"""`runledger dlq` over the real pipeline: poison in, letters out, replays that count once."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from runledger.dlq.dealing import Desk, Order, deal
from runledger.dlq.errors import DeadLetterError
from runledger.dlq.letters import Selection
from runledger.dlq.reading import opened
from runledger.schemas import dead_letters
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER, decode, encode_event
from runledger.schemas.dead_letter_marks import REPLAY_OF, Mark, replay_of
from runledger.schemas.dead_letters import DeadLetter, original_headers
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.topics import DEAD_LETTERS, RUN_EVENTS, RUN_LOG, RUNS
from tests import documents
from tests.integration.processors.partition import until
from tests.integration.processors.processes import Ledger
from tests.integration.test_agents_command import Stage, stage
from tests.unit.processors.logs import event, run_of

__all__ = ["stage"]

pytestmark = pytest.mark.integration

KEY = f"p/{run_of(0)}".encode()
Headers = list[tuple[str, str | bytes | None]]
_KILLED_BETWEEN = """
import os, sys
from confluent_kafka import Producer
kafka, prefix = sys.argv[1:]
producer = Producer({"bootstrap.servers": kafka, "transactional.id": prefix + "dlq"})
producer.init_transactions(20)
producer.begin_transaction()
producer.produce(prefix + "run-events", sys.stdin.buffer.read(), b"%s", %d)
assert producer.flush(20) == 0
os._exit(9)
"""
"""Sends a record as a replay does, and is gone before the mark."""


@pytest.fixture
def ledger(topics: ConnectionSettings, tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(topics, tmp_path)
    made.wait_for_leaders()
    yield made
    made.close()


def usage(number: int) -> bytes:
    return encode_event(event("used", 0, f"u{number}"))


def dlq(stage: Stage, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = stage.run("-m", "runledger", "dlq", *arguments, "--json")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    found: dict[str, Any] = orjson.loads(done.stdout)
    return found


def refused_earlier(ledger: Ledger, *values: bytes, partition: int = 0) -> None:
    """Put valid events into dead-letters, as a reader of an earlier version would have."""
    producer = Producer({"bootstrap.servers": ledger.connection.kafka, "message.max.bytes": 4_000_000})
    for number, value in enumerate(values):
        original = [(EVENT_ID_HEADER, str(orjson.loads(value)["id"]).encode()), ("x-bytes", b"\xff\x00"), ("x", None)]
        topic = ledger.name(RUN_EVENTS)
        letter = DeadLetter("unknown_type", "no", topic, partition, 10**6 + number, "runs", KEY, value, 1, original)
        headers: Headers = [*letter.headers()]
        producer.produce(ledger.name(DEAD_LETTERS), letter.value, letter.key, 0, headers=headers)
    assert producer.flush(20) == 0


def tokens(ledger: Ledger) -> int:
    newest = {message.key(): message.value() for message in ledger.seen(RUNS)}
    return sum(decode(RunSnapshot, value).usage.input_tokens or 0 for value in newest.values() if value)


def letters(ledger: Ledger) -> list[dict[str, bytes | None]]:
    found = [dict(message.headers() or ()) for message in ledger.seen(DEAD_LETTERS)]
    return [headers for headers in found if dead_letters.REASON in headers]  # type: ignore[misc]


def verified(stage: Stage) -> None:
    stage.runledger("verify", "--wait", "30")


POISON: dict[str, tuple[bytes, bytes | None, bytes]] = {
    "broken": (KEY, b"{no", b"not_json"),
    "not_utf8": (KEY, b"\xff\xfe", b"not_json"),
    "empty": (KEY, None, b"empty"),
    "blank": (KEY, b"", b"empty"),
    "no_object": (KEY, b"[]", b"invalid"),
    "wrong_schema": (KEY, usage(1).replace(b"runledger.usage", b"runledger.nothing"), b"unknown_type"),
    "no_id": (KEY, orjson.dumps({**orjson.loads(usage(1)), "id": None}), b"invalid"),
    "wrong_key": (b"p/other", usage(1), b"wrong_key"),
    "huge": (KEY, b'"' + b" " * 950_000 + b'"', b"too_large"),
    "compressed_bomb": (KEY, b'"' + b" " * 20_000_000 + b'"', b"too_large"),
    "nul": (KEY, usage(1).replace(b'"u1"', b'"u\\u0000"'), b"invalid"),
    "surrogate": (KEY, usage(1).replace(b'"u1"', b'"u\\ud800"'), b"not_json"),
    "nan": (KEY, usage(1).replace(b"10", b"NaN", 1), b"not_json"),
    "infinite": (KEY, usage(1).replace(b'"input_tokens":10', b'"input_tokens":1e400'), b"not_json"),
    "too_many_digits": (KEY, usage(1).replace(b'"input_tokens":10', b'"input_tokens":1' + b"0" * 400), b"not_json"),
    "deep": (KEY, b"[" * 10_000 + b"]" * 10_000, b"not_json"),
}


def test_dead_letters_are_the_injected_poison_exactly_with_its_headers_byte_for_byte(
    ledger: Ledger, stage: Stage
) -> None:
    own: Headers = [
        ("content-type", CONTENT_TYPE.encode()),
        ("x", b"\x00\xff"),
        ("x", None),
        ("runledger_reason", b"mine"),
    ]
    producer = ledger._keyed
    ledger.emit(event("started", 0, "a"))
    for name, (key, value, _) in POISON.items():
        headers: Headers = [(EVENT_ID_HEADER, name.encode()), *own]
        producer.produce(ledger.name(RUN_EVENTS), value, key, headers=headers)
    ledger.emit_raw(KEY, usage(2), "u2")
    ledger.send(event("ended", 0, "b"))
    processor = ledger.start()
    until(lambda: tokens(ledger) == 10)
    until(lambda: len(letters(ledger)) >= len(POISON))
    until(lambda: ledger.seen(RUN_LOG))  # stage 2 has its outcome, too: nobody folds it after the stop
    assert processor.stop()[0] == 0
    found = {}
    for message in ledger.seen(DEAD_LETTERS):
        original = original_headers(dead_letters.as_they_came(message.headers()))
        name = (dict(original)[EVENT_ID_HEADER] or b"").decode()
        assert name not in found
        key, value, _ = POISON[name]
        found[name] = dict(dead_letters.as_they_came(message.headers()))[dead_letters.REASON]
        assert original == [(EVENT_ID_HEADER, name.encode()), *own]
        assert message.key() == key
        assert (message.value() or None) == ((value or None) and value[: dead_letters.MAX_VALUE_BYTES])
    assert found == {name: reason for name, (_, _, reason) in POISON.items()}
    listed = dlq(stage, "list", "--limit", "5")
    assert (len(listed["letters"]), listed["matching"]) == (5, len(POISON))
    by_reason = Counter(reason.decode() for _, _, reason in POISON.values())
    assert {it["reason"]: it["count"] for it in listed["counts"]} == dict(by_reason)
    verified(stage)


def test_a_flood_of_an_unknown_schema_stops_the_processor_and_its_restart_until_it_is_overridden(
    ledger: Ledger, stage: Stage
) -> None:
    unknown = usage(1).replace(b"runledger.usage", b"runledger.future")
    ledger.emit(event("started", 0, "a"))
    for number in range(300):
        ledger.emit_raw(KEY, unknown, f"f{number}")
    ledger.flush()
    for _ in range(2):
        stopped = ledger.start(dead_letter_limit=20)
        assert stopped.wait(60) == 78
        (said,) = stopped.lines("stopped")
        assert "RUNLEDGER_DEAD_LETTER_LIMIT" in said["error"]
        assert "runledger dlq list" in said["error"]
        assert len(letters(ledger)) == 20
    ledger.start(dead_letter_limit=0)
    until(lambda: len(letters(ledger)) == 300)
    verified(stage)


def test_a_replay_counts_once_however_often_it_is_tried_and_whoever_was_killed(ledger: Ledger, stage: Stage) -> None:
    """The second replay lies beyond the window of repeats: the mark alone holds it back."""
    ledger.send(event("started", 0, "a"))
    ledger.start(dedupe_window_records=5)
    until(lambda: len(ledger.seen(RUNS)) == 1)
    (started,) = ledger.seen(RUN_EVENTS)
    partition = started.partition() or 0
    refused_earlier(ledger, usage(1), usage(2), partition=partition)
    program = _KILLED_BETWEEN % (KEY.decode(), partition)
    command = [sys.executable, "-c", program, stage.settings.kafka, stage.settings.topic_prefix]
    assert subprocess.run(command, input=usage(1), check=False, timeout=60).returncode == 9
    would = dlq(stage, "replay", "--all", "--dry-run")
    assert would == {"done": 2, "dealt_with_before": 0, "left": []}
    assert dlq(stage, "replay", "--all", "--yes") == would
    until(lambda: tokens(ledger) == 20)
    for number in range(10, 60):
        ledger.emit(event("beat", 0, f"b{number}"))
    ledger.flush()
    ledger.wait_until_read()
    assert dlq(stage, "replay", "--all", "--yes") == {"done": 0, "dealt_with_before": 2, "left": []}
    ledger.send(event("ended", 0, "z"))
    until(ledger.outcome_revisions)
    assert tokens(ledger) == 20
    (replayed,) = [message for message in ledger.seen(RUN_EVENTS) if message.value() == usage(1)]
    headers = dead_letters.as_they_came(replayed.headers())
    assert headers[1:] == [(EVENT_ID_HEADER, b"u1"), ("x-bytes", b"\xff\x00"), ("x", None)]
    assert (headers[0][0], replay_of(headers) is not None) == (REPLAY_OF, True)
    assert {it["state"] for it in dlq(stage, "list", "--state", "all")["letters"]} == {"replayed"}
    verified(stage)


def test_a_replay_that_is_refused_again_is_a_letter_of_its_own(ledger: Ledger, stage: Stage) -> None:
    ledger.start()
    ledger.emit_raw(KEY, b"{no", "bad")
    ledger.flush()
    until(lambda: len(letters(ledger)) == 1)
    (first,) = dlq(stage, "list")["letters"]
    assert dlq(stage, "replay", first["letter"], "--yes")["done"] == 1
    until(lambda: len(letters(ledger)) == 2)
    (again,) = dlq(stage, "list")["letters"]
    assert (again["reason"], again["replay_of"]) == ("not_json", first["letter"])
    assert again["offset"] > first["offset"]


def test_a_letter_is_shown_safely_dropped_once_and_what_cannot_be_replayed_says_why(
    ledger: Ledger, stage: Stage, tmp_path: Path
) -> None:
    ledger.start()
    secret = b"\x1b]0;owned\x07 sk-secret \x00" + b"x" * 3000
    ledger.emit_raw(KEY, secret, "bad")
    ledger.emit_raw(KEY, None, "nothing")
    ledger.emit_raw(KEY, orjson.dumps({"type": "no"}), "")
    ledger.flush()
    until(lambda: len(letters(ledger)) == 3)
    by_reason = {it["reason"]: it["letter"] for it in dlq(stage, "list")["letters"]}
    place = by_reason["not_json"].removeprefix(stage.settings.topic_prefix)
    assert "sk-secret" not in stage.runledger("dlq", "show", place)
    shown = stage.runledger("dlq", "show", place, "--payload", "--raw", str(tmp_path / "raw"))
    assert r"\x1b]0;owned\x07 sk-secret \x00" in shown
    assert "bytes more" in shown
    assert (tmp_path / "raw").read_bytes() == secret
    again = stage.run("-m", "runledger", "dlq", "show", place, "--raw", str(tmp_path / "raw"))
    assert (again.returncode, "File exists" in again.stderr, "Traceback" in again.stderr) == (1, True, False)
    refused = dlq(stage, "replay", "--reason", "empty", "--reason", "unknown_type", "--yes", code=3)
    assert {it["letter"]: it["why"][:20] for it in refused["left"]} == {
        by_reason["empty"]: "it has no value, so ",
        by_reason["unknown_type"]: "it names no event id",
    }
    for done, before in ((1, 0), (0, 1)):
        dropped = dlq(stage, "drop", place, "--yes")
        assert (dropped["done"], dropped["dealt_with_before"]) == (done, before)
    assert len(letters(ledger)) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["show", "run-events/0/99"], 5, "no dead letter stands for"),
        (["show", "nonsense"], 2, "TOPIC/PARTITION/OFFSET"),
        (["replay"], 2, "--all"),
        (["replay", "--all", "--reason", "empty"], 2, "--all"),
        (["list", "--since", "yesterday"], 2, "is no time"),
        (["list", "--since", "2026-01-01"], 2, "names no zone"),
        (["drop", "--reason", "whim"], 2, "is no reason"),
    ],
    ids=["unknown", "no-place", "nothing-meant", "both", "no-time", "no-zone", "no-reason"],
)
def test_what_makes_no_sense_is_said_without_a_traceback(
    stage: Stage, arguments: list[str], code: int, says: str
) -> None:
    done = stage.run("-m", "runledger", "dlq", *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert says in " ".join(done.stderr.replace("│", " ").split())


def test_whoever_begins_to_deal_with_letters_shuts_out_whoever_did_before(ledger: Ledger) -> None:
    refused_earlier(ledger, usage(1))
    with opened(ledger.connection) as reader:
        (letter,) = reader.read(Selection()).chosen()
    order = Order(letter, Mark(letter.letter_id, "dropped", "me"))
    first = Desk(ledger.connection)
    second = Desk(ledger.connection)
    with pytest.raises(DeadLetterError, match="somebody else"):
        first.write([order])
    second.write([order])
    with opened(ledger.connection) as reader:
        box = reader.read(Selection())
    assert (box.chosen(), box.state_of(letter), box.strange) == ([], "dropped", 0)


def test_letters_are_found_by_topic_reason_and_time(ledger: Ledger, stage: Stage) -> None:
    refused_earlier(ledger, usage(1), usage(2), usage(3))
    count: Callable[..., int] = lambda *options: int(dlq(stage, "list", *options)["matching"])  # noqa: E731  # short
    assert count() == count("--topic", "run-events") == count("--reason", "unknown_type") == count("--since", "1h") == 3
    assert count("--topic", "run-log") == count("--reason", "empty") == count("--until", "1h") == 0
    places = [it["letter"] for it in dlq(stage, "list", "--limit", "1", "--skip", "1")["letters"]]
    assert count(*places) == 1


def test_each_example_of_the_page_runs(ledger: Ledger, stage: Stage) -> None:
    refused_earlier(ledger, usage(1), usage(2))
    lines = [line for text in documents.examples("docs/dead-letters.md", "bash") for line in text.splitlines()]
    done = [stage.runledger(*shlex.split(line)[1:]) for line in lines]
    assert done[2:] == [
        "2 would be replayed, 0 were dealt with before, 0 left\n",
        "2 replayed, 0 were dealt with before, 0 left\n",
    ]


def test_a_record_larger_than_its_topic_takes_holds_up_no_other(ledger: Ledger) -> None:
    """It came in compressed, or an earlier version took more."""
    refused_earlier(ledger, usage(1), orjson.dumps({"id": "big", "more": "x" * 1_000_000}), usage(2))
    report = deal(ledger.connection, Selection(), "replayed", "me")
    assert (report.done, [letter.letter_id.offset for letter, _ in report.left]) == (2, [10**6 + 1])
    assert "larger than" in report.left[0][1]
    assert {message.value() for message in ledger.seen(RUN_EVENTS)} == {usage(1), usage(2)}
