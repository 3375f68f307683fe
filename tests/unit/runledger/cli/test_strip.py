"""Strips of outcomes."""

from __future__ import annotations

from runledger.cli.strip import legend, strip_text
from tests.unit.runledger.cli.build import outcome


def test_shapes_tell_outcomes_apart_without_a_colour() -> None:
    outcomes = [outcome(), outcome("partial"), outcome(silent=True), outcome("failed"), outcome("failed", silent=True)]
    assert strip_text(outcomes).plain == "█▄░▁▁"
    assert strip_text([]).plain == ""


def test_the_newest_are_shown_where_there_is_no_room_for_all() -> None:
    assert strip_text([outcome("failed"), outcome(), outcome("partial")], 2).plain == "█▄"


def test_the_legend_names_every_block() -> None:
    assert legend().plain == "█ success  ▄ partial  ░ silent  ▁ failed  newest last"
