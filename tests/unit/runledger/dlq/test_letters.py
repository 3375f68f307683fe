"""Which letters are meant, what became of them, and which of them can be sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runledger.dlq.letters import Box, Headers, Letter, Selection, headers_again, parse, why_not
from runledger.schemas.dead_letter_marks import MARK, REPLAY_OF, LetterId, Mark, Replay, replay_of
from runledger.schemas.dead_letters import MAX_VALUE_BYTES, OFFSET, DeadLetter, Reason, original_headers
from runledger.schemas.topics import AGENTS, RUN_EVENTS, RUN_LOG, RUNS, SETTINGS, Topic

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PREFIX = "runledger."
CE_ID: Headers = [("ce_id", b"e")]


def headers_of(
    offset: int = 7,
    topic: Topic = RUN_EVENTS,
    reason: Reason = "invalid",
    original: Headers | None = None,
    value: bytes = b"{}",
    logged_at_ms: int = 5,
) -> Headers:
    where = topic.name(PREFIX), 2, offset
    return DeadLetter(reason, "no", *where, "runs", b"k", value, logged_at_ms, original or []).headers()


def letter(headers: Headers | None = None, refused_at: datetime = NOON) -> Letter:
    found = parse(headers or headers_of(), (1, 30), refused_at, (1, 2))
    assert isinstance(found, Letter)
    return found


def test_a_letter_is_read_as_it_was_written() -> None:
    found = letter(headers_of(original=[Replay("runs", LetterId("runledger.run-events", 2, 3, 4)).header(), *CE_ID]))
    assert (str(found.letter_id), found.letter_id.logged_at_ms) == ("runledger.run-events/2/7", 5)
    assert (found.reason, found.detail, found.reader, found.is_whole) == ("invalid", "no", "runs", True)
    assert (found.box_partition, found.box_offset, found.refused_at) == (1, 30, NOON)
    assert str(found.replay_of and found.replay_of.letter) == "runledger.run-events/2/3"


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = Mark(letter().letter_id, "dropped", "zoë\n")
    assert parse(mark.headers(), (0, 0), NOON, (None, 0)) == mark


@pytest.mark.parametrize("headers", [[], [("x", b"1")], headers_of()[1:], headers_of()[:3]], ids=len)
def test_what_is_neither_letter_nor_mark_is_told_apart(headers: Headers) -> None:
    assert parse(headers, (0, 0), NOON, (None, None)) is None


def test_a_number_that_is_none_and_a_deed_of_a_later_version_make_no_letter() -> None:
    broken = [(name, b"x" if name == OFFSET else content) for name, content in headers_of()]
    assert parse(broken, (0, 0), NOON, (None, None)) is None
    assert parse([*headers_of(), (MARK, b"burnt")], (0, 0), NOON, (None, None)) is None


def test_headers_of_the_record_cannot_pass_for_ours() -> None:
    assert letter(headers_of(original=[(MARK, b"dropped"), (OFFSET, b"99")])).letter_id.offset == 7


def test_a_letter_written_twice_is_one_and_its_mark_holds_wherever_it_stands() -> None:
    box = Box(Selection())
    for found in (letter(), replace(letter(), box_offset=31)):
        box.add(found)
    box.add(None)
    assert ([it.box_offset for it in box.chosen()], box.strange) == ([30], 1)
    box.add(Mark(letter().letter_id, "replayed", "me"))
    assert (box.chosen(), box.state_of(letter())) == ([], "replayed")


def test_a_topic_made_anew_has_letters_of_its_own() -> None:
    box = Box(Selection())
    box.add(letter())
    box.add(Mark(letter().letter_id, "replayed", "me"))
    box.add(letter(headers_of(logged_at_ms=6)))
    assert [it.letter_id.logged_at_ms for it in box.chosen()] == [6]


@pytest.mark.parametrize(
    ("selection", "takes"),
    [
        (Selection(), True),
        (Selection(topics=frozenset({"runledger.run-events"})), True),
        (Selection(topics=frozenset({"runledger.runs"})), False),
        (Selection(reasons=frozenset({"invalid", "empty"})), True),
        (Selection(reasons=frozenset({"empty"})), False),
        (Selection(since=NOON), True),
        (Selection(since=NOON + timedelta(seconds=1)), False),
        (Selection(until=NOON), False),
        (Selection(until=NOON + timedelta(seconds=1)), True),
        (Selection(places=frozenset({("runledger.run-events", 2, 7)})), True),
        (Selection(places=frozenset({("runledger.run-events", 2, 8)})), False),
    ],
    ids=lambda it: str(it) if isinstance(it, bool) else "",
)
def test_everything_that_is_given_must_fit(selection: Selection, takes: bool) -> None:
    assert selection.takes(letter()) is takes


def test_a_replay_carries_one_marker_before_its_own_headers() -> None:
    older = Replay("runs", LetterId("runledger.run-events", 2, 3, 4)).header()
    original: Headers = [older, ("x", None), ("x", b"\xff"), *CE_ID]
    again = headers_again(letter(), original)
    assert again[1:] == original[1:]
    assert [name for name, _ in again].count(REPLAY_OF) == 1
    assert replay_of(again) == Replay("runs", letter().letter_id)


@pytest.mark.parametrize("text", ["", "runs", "runs/t/1/2", "runs/t/1/x/3", "a/b/c/d/e/f"])
def test_a_marker_that_says_nothing_is_none(text: str) -> None:
    assert replay_of([(REPLAY_OF, text.encode())]) is None
    assert replay_of([("x", b""), Replay("runs", letter().letter_id).header()]) is None


@pytest.mark.parametrize(
    ("found", "original", "value", "why"),
    [
        (letter(), CE_ID, b"{}", None),
        (letter(), [], b'{"id":"e"}', None),
        (letter(), [], b'{"event_id":"e"}', None),
        (letter(), [], b"{", None),
        (letter(headers_of(topic=RUN_LOG)), [], b"{}", None),
        (letter(), [], b'{"id":7}', "no event id"),
        (letter(), [], b"[]", "no event id"),
        (letter(), CE_ID, b"", "no value"),
        (letter(), CE_ID, None, "no value"),
        (letter(), [("a\0b", b""), *CE_ID], b"{}", "NUL"),
        (letter(headers_of(value=b"x" * (MAX_VALUE_BYTES + 1))), CE_ID, b"x", "too large"),
        (letter(headers_of(topic=RUNS)), [], b"{}", "newest state"),
        (letter(headers_of(topic=AGENTS)), [], b"{}", "newest state"),
        (letter(headers_of(topic=SETTINGS)), [], b"{}", "newest state"),
    ],
    ids=range(14),
)
def test_what_cannot_be_sent_again_says_why(
    found: Letter, original: Headers, value: bytes | None, why: str | None
) -> None:
    told = why_not(found, original, value, PREFIX, 4)
    assert told is None if why is None else why in (told or "")


def test_a_place_that_is_no_more_is_no_place_to_send_to() -> None:
    assert "2 partitions now" in (why_not(letter(), CE_ID, b"{}", PREFIX, 2) or "")
    assert "no topic of the prefix" in (why_not(letter(), CE_ID, b"{}", "other.", 4) or "")


def test_headers_of_a_letter_hold_the_records_own() -> None:
    assert original_headers(headers_of(original=CE_ID)) == CE_ID


@pytest.mark.parametrize(
    ("key", "project_key"),
    [
        (b"acme/0190", "acme"),
        (b"acme", "acme"),
        (b"acme/", "acme"),
        (None, None),
        (b"", None),
        (b"/x", None),
        (b"ACME/x", None),
        (b"a" * 65 + b"/x", None),
        (b"acme\x00/x", None),
        (b"acme\n", None),
    ],
    ids=str,
)
def test_a_letter_is_of_the_project_that_its_key_names(key: bytes | None, project_key: str | None) -> None:
    found = parse(headers_of(), (1, 30), NOON, (1, 2), key)
    assert isinstance(found, Letter)
    assert found.project_key == project_key
    assert Selection(project_key="acme").takes(found) == (project_key == "acme")
    assert Selection().takes(found)
