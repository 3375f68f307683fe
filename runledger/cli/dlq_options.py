"""Options of `runledger dlq`, and what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from runledger.cli.options import DataDir, Json, moment_of
from runledger.dlq.letters import Selection, State
from runledger.schemas.dead_letters import REASONS
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS

_PLACE = re.compile(r"(?P<topic>[A-Za-z0-9._-]{1,249})/(?P<partition>[0-9]{1,9})/(?P<offset>[0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which dead letters are meant, as given."""

    places: Annotated[
        list[str] | None,
        typer.Argument(help="Only these: TOPIC/PARTITION/OFFSET, as `list` shows them.", show_default=False),
    ] = None
    topic: Annotated[list[str] | None, typer.Option(help="Only records of this topic; may be given again.")] = None
    reason: Annotated[
        list[str] | None, typer.Option(help="Only those refused for this reason; may be given again.")
    ] = None
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Refused since: 2026-03-01T12:00Z, or 2h for ago.")
    ] = None
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Refused before.")] = None

    def are_given(self) -> bool:
        """Whether there is any."""
        return any((self.places, self.topic, self.reason, self.since, self.until))


@dataclass(frozen=True, slots=True)
class Dealing:
    """How those that are meant are dealt with, as given."""

    everything: Annotated[bool, typer.Option("--all", help="Every dead letter that waits.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
    as_json: Json = False
    data_dir: DataDir = None


def selection_of(connection: ConnectionSettings, filters: Filters, states: frozenset[State]) -> Selection:
    """Read filters.

    Raises:
        BadParameter: one of them says nothing.
    """
    return Selection(
        topics=frozenset(_full_name(connection, name) for name in filters.topic or ()),
        reasons=frozenset(_known_reason(reason) for reason in filters.reason or ()),
        since=parse_moment(filters.since),
        until=parse_moment(filters.until),
        places=frozenset(parse_place(connection, place) for place in filters.places or ()),
        states=states,
    )


def parse_place(connection: ConnectionSettings, text: str) -> tuple[str, int, int]:
    """Read TOPIC/PARTITION/OFFSET; the topic's prefix may be left out.

    Raises:
        BadParameter: it is none.
    """
    written = _PLACE.fullmatch(text)
    if written is None:
        raise typer.BadParameter(f"{text[:80]!r} is no place of a record: write TOPIC/PARTITION/OFFSET")
    return _full_name(connection, written["topic"]), int(written["partition"]), int(written["offset"])


def parse_moment(text: str | None) -> datetime | None:
    """Read a time with its zone, or how long ago: 90s, 30m, 2h, 1d.

    Raises:
        BadParameter: it is neither.
    """
    return None if text is None else moment_of(text)


def _known_reason(text: str) -> str:
    if text not in REASONS:
        raise typer.BadParameter(f"{text[:80]!r} is no reason: {', '.join(REASONS)}")
    return text


def _full_name(connection: ConnectionSettings, name: str) -> str:
    prefix = connection.topic_prefix
    return prefix + name if name in {topic.suffix for topic in ALL_TOPICS} else name
