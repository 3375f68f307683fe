"""What became of dead letters: marks beside them in the same partition, and the header of a record sent again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from runledger.schemas.dead_letters import LOGGED_AT_MS, OFFSET, PARTITION, TOPIC

MARK = "runledger_mark"
"""Only marks have it: what was done with the letter that the other headers name."""
MARKED_BY = "runledger_marked_by"
REPLAY_OF = "runledger_replay_of"
"""First header of a record that was sent again: who had refused it, and where it stood then."""

Deed: TypeAlias = Literal["replayed", "dropped"]
HeaderValue: TypeAlias = bytes | str | None


@dataclass(frozen=True, slots=True, order=True)
class LetterId:
    """Names one refused record for ever: a topic made anew counts its offsets anew, but not its log times.

    Args:
        topic: full name.
        partition: of it.
        offset: in it.
        logged_at_ms: the record's timestamp.
    """

    topic: str
    partition: int
    offset: int
    logged_at_ms: int

    def __str__(self) -> str:
        """Topic/partition/offset, as people give it."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def headers(self) -> list[tuple[str, bytes | None]]:
        """The headers that name the letter."""
        return [
            (TOPIC, self.topic.encode()),
            (PARTITION, b"%d" % self.partition),
            (OFFSET, b"%d" % self.offset),
            (LOGGED_AT_MS, b"%d" % self.logged_at_ms),
        ]


@dataclass(frozen=True, slots=True)
class Mark:
    """A letter that was dealt with.

    Args:
        letter: which one.
        deed: what was done.
        by: who did it.
    """

    letter: LetterId
    deed: Deed
    by: str

    def headers(self) -> list[tuple[str, bytes | None]]:
        """Headers as Kafka takes them."""
        return [(MARK, self.deed.encode()), *self.letter.headers(), (MARKED_BY, self.by.encode(errors="replace"))]


@dataclass(frozen=True, slots=True)
class Replay:
    """A record sent again.

    Args:
        reader: who had refused it; for any other reader of its topic it is a repeat.
        letter: the record as it stood then.
    """

    reader: str
    letter: LetterId

    def header(self) -> tuple[str, bytes | None]:
        """The header of the record; it stands before all others."""
        where = self.letter
        text = f"{self.reader}/{where.topic}/{where.partition}/{where.offset}/{where.logged_at_ms}"
        return REPLAY_OF, text.encode()


def deed_of(text: str) -> Deed | None:
    """Read what was done; None for what this version does not know."""
    return next((deed for deed in get_args(Deed) if deed == text), None)


def replay_of(headers: Iterable[tuple[str, HeaderValue]]) -> Replay | None:
    """Read the header of a record that was sent again; None where there is none, or one that says nothing."""
    for name, content in headers:
        if name != REPLAY_OF:
            return None
        text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
        try:
            reader, topic, *numbers = text.split("/")
            partition, offset, logged_at_ms = map(int, numbers)
        except ValueError:
            return None
        return Replay(reader, LetterId(topic, partition, offset, logged_at_ms))
    return None
