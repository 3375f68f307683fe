"""Rows of a waterfall, drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runledger.analytics.dashboard.charts.waterfall import axis, bar, brief
from tests.unit.analytics.dashboard.charts.shapes import of_class, parse
from tests.unit.analytics.dashboard.charts.test_waterfall_layout import laid_out, span

SECOND = timedelta(seconds=1)


def test_a_bar_stands_where_its_step_was() -> None:
    layout = laid_out(span(0, 2, 6), began=0, ended=8)
    [drawn] = of_class(parse(bar(layout.rows[0], layout)), "span-bar")[1:]
    assert (drawn.tag, drawn.get("x"), drawn.get("width")) == ("rect", "25%", "50%")
    assert "span-ok" in drawn.attrib["class"]


def test_a_step_too_short_to_be_seen_is_a_stroke_within_the_cell() -> None:
    layout = laid_out(span(0, 10, 10), began=0, ended=10)
    [drawn] = of_class(parse(bar(layout.rows[0], layout)), "span-bar")[1:]
    assert (drawn.get("x"), drawn.get("width")) == ("99.6%", "2")


def test_open_steps_and_points_are_drawn_otherwise() -> None:
    layout = laid_out(span(0, 5, None), span(1, 10, None, is_timed=False), began=0, ended=10)
    first, second = (parse(bar(row, layout)) for row in layout.rows)
    assert [drawn.get("width") for drawn in of_class(first, "span-open")] == ["50%"]
    assert [(drawn.tag, drawn.get("cx")) for drawn in of_class(second, "span-point")] == [("circle", "99%")]


def test_rows_and_axis_share_their_ticks() -> None:
    layout = laid_out(span(0, 0, 10))
    ticks = [line.get("x1") for line in of_class(parse(bar(layout.rows[0], layout)), "tick")]
    labels = of_class(parse(axis(layout)), "tick-label")
    assert ticks == [label.get("x") for label in labels] == ["0%", "20%", "40%", "60%", "80%", "100%"]
    assert [label.text for label in labels] == ["0", "2 s", "4 s", "6 s", "8 s", "10 s"]
    assert [label.get("text-anchor") for label in (labels[0], labels[2], labels[5])] == ["start", "middle", "end"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0"),
        (0.0004, "0.4 ms"),
        (0.9, "900 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.25, "1.2 s"),
        (75, "1 min 15 s"),
        (-0.5, "-500 ms"),
    ],
)
def test_lengths_are_brief(seconds: float, words: str) -> None:
    assert brief(seconds * SECOND) == words
