"""The sparkline."""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.dashboard.charts.sparkline import draw_sparkline
from tests.unit.analytics.dashboard.charts.shapes import of_class, parse, titles

_values = st.lists(st.none() | st.decimals(min_value=0, max_value=10**9, allow_nan=False), max_size=60)


def test_it_says_what_it_shows() -> None:
    assert titles(parse(draw_sparkline([1, 2], label="Cost of 2 days: $1, $2"))) == ["Cost of 2 days: $1, $2"]


def test_the_highest_value_touches_the_top_and_nothing_the_bottom() -> None:
    line = of_class(parse(draw_sparkline([0, Decimal("0.5"), 1], label="", width=105, height=25)), "spark-line")[0]
    assert line.attrib["d"] == "M2.5 22.5L52.5 12.5L102.5 2.5"


def test_the_unknown_leaves_a_gap() -> None:
    chart = parse(draw_sparkline([1, 2, None, 3, None, 4, 5], label=""))
    assert len(of_class(chart, "spark-line")) == 2
    assert len(of_class(chart, "spark-dot")) == 2  # the value between two gaps, and the newest


def test_where_nothing_is_known_only_the_axis_is_drawn() -> None:
    for values in ([], [None, None]):
        chart = parse(draw_sparkline(values, label="unknown"))
        assert [one.tag for one in chart] == ["title", "line"]


def test_nothing_used_is_a_line_at_the_bottom() -> None:
    chart = parse(draw_sparkline([0, 0], label="", width=105, height=25))
    assert of_class(chart, "spark-line")[0].attrib["d"] == "M2.5 22.5L102.5 22.5"


@given(_values)
def test_every_point_lies_within_and_none_is_lost(values: list[Decimal | None]) -> None:
    chart = parse(draw_sparkline(values, label="", width=96, height=24))
    points: set[str] = set()
    for line in of_class(chart, "spark-line"):
        points.update(re.findall(r"[\d.]+ [\d.]+", line.attrib["d"]))
    points.update(f"{dot.attrib['cx']} {dot.attrib['cy']}" for dot in of_class(chart, "spark-dot"))
    assert len(points) == sum(value is not None for value in values)
    for point in points:
        x, y = map(float, point.split())
        assert 0 <= x <= 96
        assert 0 <= y <= 24
