"""A dead letter as it stands in the topic, what became of it, and which of them are meant; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import orjson

from runledger.schemas import dead_letters as names
from runledger.schemas.codec import EVENT_ID_HEADER
from runledger.schemas.dead_letter_marks import MARK, MARKED_BY, REPLAY_OF, LetterId, Mark, Replay, deed_of, replay_of
from runledger.schemas.dead_letters import original_headers
from runledger.schemas.topics import ALL_TOPICS, RUN_EVENTS

State: TypeAlias = Literal["waiting", "replayed", "dropped"]
Headers: TypeAlias = list[tuple[str, bytes | None]]
_PROJECT_OF_KEY = re.compile(rb"([a-z0-9_-]{1,64})(?:/|\Z)")


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its key and value.

    Args:
        letter_id: the record it stands for.
        box_partition, box_offset: where the letter stands in dead-letters.
        refused_at: log time of the letter.
        reason: constant name; `runledger.schemas.dead_letters.REASONS` explains it.
        detail: one line for people.
        reader: who refused the record.
        reader_version: its version; empty where it told none.
        key_bytes, value_bytes: their sizes as kept; None where there was none.
        is_whole: whether the whole record is kept.
        replay_of: which letter's record was sent again, and refused again as this one.
        project_key: whose record it says it is, by its key; None where that names no project.
    """

    letter_id: LetterId
    box_partition: int
    box_offset: int
    refused_at: datetime
    reason: str
    detail: str
    reader: str
    reader_version: str
    key_bytes: int | None
    value_bytes: int | None
    is_whole: bool
    replay_of: Replay | None
    project_key: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant: those that fulfil everything that is given.

    Args:
        topics: full names of the records' topics.
        reasons: why they were refused.
        since, until: when they were refused; `until` itself is not meant.
        places: (topic, partition, offset) of the records.
        states: what became of them.
        project_key: only records whose key names this project; None for all records.
    """

    topics: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    places: frozenset[tuple[str, int, int]] = frozenset()
    states: frozenset[State] = frozenset({"waiting"})
    project_key: str | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is meant, whatever became of it."""
        where = letter.letter_id
        return (
            (not self.topics or where.topic in self.topics)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.since is None or letter.refused_at >= self.since)
            and (self.until is None or letter.refused_at < self.until)
            and (not self.places or (where.topic, where.partition, where.offset) in self.places)
            and (self.project_key is None or letter.project_key == self.project_key)
        )


def parse(
    headers: Headers,
    place: tuple[int, int],
    refused_at: datetime,
    sizes: tuple[int | None, int | None],
    key: bytes | None = None,
) -> Letter | Mark | None:
    """Read one record of dead-letters by its headers; None for what is neither letter nor mark.

    Args:
        headers: of the record in dead-letters.
        place: (partition, offset) of it.
        refused_at: its log time.
        sizes: lengths of its key and value.
        key: for the project that it names.
    """
    found = {name: (content or b"").decode(errors="replace") for name, content in headers if not _is_original(name)}
    try:
        letter_id = LetterId(
            found[names.TOPIC],
            int(found[names.PARTITION]),
            int(found[names.OFFSET]),
            int(found.get(names.LOGGED_AT_MS, "-1")),
        )
    except (KeyError, ValueError):
        return None
    if MARK in found:
        deed = deed_of(found[MARK])
        return None if deed is None else Mark(letter_id, deed, found.get(MARKED_BY, ""))
    if names.REASON not in found:
        return None
    cuts = {names.CUT_FROM_BYTES, names.KEY_CUT_FROM_BYTES, names.HEADERS_LEFT_OUT}
    return Letter(
        letter_id=letter_id,
        box_partition=place[0],
        box_offset=place[1],
        refused_at=refused_at,
        reason=found[names.REASON],
        detail=found.get(names.DETAIL, ""),
        reader=found.get(names.READER, ""),
        reader_version=found.get(names.READER_VERSION, ""),
        key_bytes=sizes[0],
        value_bytes=sizes[1],
        is_whole=cuts.isdisjoint(found),
        replay_of=replay_of(original_headers(headers)),
        project_key=_project_of(key),
    )


def _project_of(key: bytes | None) -> str | None:
    """The project whose record a key says it is: keys begin with it (docs/events.md)."""
    found = None if key is None else _PROJECT_OF_KEY.match(key)
    return None if found is None else found[1].decode()


def _is_original(name: str) -> bool:
    return name.startswith(names.ORIGINAL)


def headers_again(letter: Letter, original: Headers) -> Headers:
    """The headers of a record sent again: its own, byte for byte, behind the one that says whose replay it is."""
    own = [(name, content) for name, content in original if name != REPLAY_OF]
    return [Replay(letter.reader, letter.letter_id).header(), *own]


def why_not(letter: Letter, original: Headers, value: bytes | None, prefix: str, partitions: int) -> str | None:
    """Say why a record cannot be sent again; None where it can.

    Args:
        letter: the letter.
        original: the record's own headers.
        value: its value.
        prefix: of the topics.
        partitions: how many each topic has.
    """
    where = letter.letter_id
    topic = next((topic for topic in ALL_TOPICS if topic.name(prefix) == where.topic), None)
    if topic is None:
        return f"{where.topic} is no topic of the prefix {prefix}"
    nameless = topic is RUN_EVENTS and bool(value) and _lacks_event_id(original, value or b"")
    hindrances = (
        (topic.cleanup == "compact", f"{where.topic} holds each key's newest state, which an old one would replace"),
        (not letter.is_whole, "it was too large to be kept whole"),
        (where.partition >= partitions, f"{where.topic} has {partitions} partitions now: where it stood, none is"),
        (any("\0" in name for name, _ in original), "the name of a header holds NUL, which cannot be sent"),
        (not value, "it has no value, so there is nothing to read"),
        (_size(letter, original) > topic.max_message_bytes, f"it is larger than {where.topic} takes"),
        (nameless, "it names no event id, in header or body, and no reader takes an event without"),
    )
    return next((why for hinders, why in hindrances if hinders), None)


def _size(letter: Letter, original: Headers) -> int:
    """Bytes of a record before compression, by which its readers measure; with room for the marker."""
    headers = sum(len(name.encode()) + len(content or b"") + 10 for name, content in original)
    return (letter.key_bytes or 0) + (letter.value_bytes or 0) + headers + 1000


def _lacks_event_id(original: Headers, value: bytes) -> bool:
    if any(name == EVENT_ID_HEADER and content for name, content in original):
        return False
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return False  # another reader may make something of it
    return not isinstance(document, dict) or not isinstance(document.get("id", document.get("event_id")), str)


class Box:
    """Letters and what became of them, in the order they are read: partition by partition.

    Args:
        selection: which letters are kept.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._letters: dict[LetterId, Letter] = {}
        self._marks: dict[LetterId, Mark] = {}
        self.strange = 0
        """Records that are neither letter nor mark."""
        self.is_whole = True
        """Whether the topic was read from its first record on."""

    def add(self, found: Letter | Mark | None) -> None:
        """Take one record; a letter written twice, by a reader that was killed between, is one letter."""
        match found:
            case Letter():
                if self._selection.takes(found):
                    self._letters.setdefault(found.letter_id, found)
            case Mark():
                self._marks.setdefault(found.letter, found)
            case None:
                self.strange += 1

    def state_of(self, letter: Letter) -> State:
        """What became of a letter."""
        mark = self._marks.get(letter.letter_id)
        return "waiting" if mark is None else mark.deed

    def mark_of(self, letter: Letter) -> Mark | None:
        """Who dealt with a letter, if somebody did."""
        return self._marks.get(letter.letter_id)

    def all(self) -> Iterable[Letter]:
        """Every letter that is meant, whatever became of it."""
        return self._letters.values()

    def chosen(self) -> list[Letter]:
        """The letters that are meant, the latest first."""
        found = [letter for letter in self._letters.values() if self.state_of(letter) in self._selection.states]
        return sorted(found, key=lambda letter: (letter.refused_at, letter.letter_id), reverse=True)
