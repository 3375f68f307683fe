"""What the options of `runledger dlq` mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import typer

from runledger.dlq.letters import Selection, State
from runledger.intervals import parse_interval
from runledger.schemas.dead_letters import REASONS
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS

Filters: TypeAlias = tuple[Sequence[str] | None, Sequence[str] | None, Sequence[str] | None, str | None, str | None]
"""(places, topics, reasons, since, until) as given."""
_PLACE = re.compile(r"(?P<topic>[A-Za-z0-9._-]{1,249})/(?P<partition>[0-9]{1,9})/(?P<offset>[0-9]{1,18})")


def selection_of(connection: ConnectionSettings, filters: Filters, states: frozenset[State]) -> Selection:
    """Read filters.

    Raises:
        BadParameter: one of them says nothing.
    """
    places, topics, reasons, since, until = filters
    return Selection(
        topics=frozenset(_full_name(connection, name) for name in topics or ()),
        reasons=frozenset(_known_reason(reason) for reason in reasons or ()),
        since=parse_moment(since),
        until=parse_moment(until),
        places=frozenset(parse_place(connection, place) for place in places or ()),
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
    if text is None:
        return None
    try:
        return datetime.now(UTC) - timedelta(seconds=parse_interval(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text[:80]!r} is no time: write 2026-03-01T12:00Z, or 2h for two hours ago"
        ) from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text[:80]!r} names no zone: write 2026-03-01T12:00Z or 2026-03-01T12:00+01:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise typer.BadParameter(f"{text[:80]!r} lies outside the years 1 to 9999 in UTC") from error


def _known_reason(text: str) -> str:
    if text not in REASONS:
        raise typer.BadParameter(f"{text[:80]!r} is no reason: {', '.join(REASONS)}")
    return text


def _full_name(connection: ConnectionSettings, name: str) -> str:
    prefix = connection.topic_prefix
    return prefix + name if name in {topic.suffix for topic in ALL_TOPICS} else name
