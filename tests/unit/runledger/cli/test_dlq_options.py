"""Options of `runledger dlq`: what they mean, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from runledger.cli.dlq_options import Filters, parse_moment, parse_place, selection_of
from runledger.schemas.settings import ConnectionSettings

CONNECTION = ConnectionSettings(topic_prefix="mine.")


@pytest.mark.parametrize("text", ["run-events/2/41", "mine.run-events/2/41"])
def test_a_place_may_leave_the_prefix_out(text: str) -> None:
    assert parse_place(CONNECTION, text) == ("mine.run-events", 2, 41)


@pytest.mark.parametrize(
    "text", ["", "run-events", "run-events/1", "run-events/-1/2", "a b/1/2", "x/1/2/3", "x/\u0661/2"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_place(CONNECTION, text)


def test_a_moment_is_a_time_with_its_zone_or_how_long_ago() -> None:
    assert parse_moment(None) is None
    assert parse_moment("2026-03-01T13:00+01:00") == datetime(2026, 3, 1, 12, tzinfo=UTC)
    ago = parse_moment("2h")
    assert ago is not None
    assert timedelta(hours=2) <= datetime.now(UTC) - ago < timedelta(hours=2, minutes=1)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-01T12:00", "-1h"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_moment(text)


def test_filters_become_a_selection() -> None:
    found = selection_of(CONNECTION, Filters(topic=["run-log", "other"], reason=["empty"]), frozenset({"dropped"}))
    assert (found.topics, found.reasons) == (frozenset({"mine.run-log", "other"}), frozenset({"empty"}))
    assert found.states == frozenset({"dropped"})
    with pytest.raises(typer.BadParameter, match="is no reason"):
        selection_of(CONNECTION, Filters(reason=["whim"]), frozenset())
