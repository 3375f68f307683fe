"""Charts of stacked bars: what is drawn, what is said, and the table that says the same."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.dashboard.charts.bar_chart import Amount, Bar, BarChart, Series
from runledger.analytics.dashboard.charts.bars import draw_bars
from runledger.analytics.dashboard.charts.scale import money_ticks
from tests.unit.analytics.dashboard.charts.shapes import length, of_class, parse, titles

REPORTED, ESTIMATED = Series("reported", "first"), Series("estimated", "second")
_amounts = st.none() | st.decimals(min_value=0, max_value=10**9, places=4)
_pairs = st.lists(st.tuples(_amounts, _amounts), min_size=1, max_size=40)


def _say(amount: Amount) -> str:
    return f"${amount}"


def _chart(*bars: Bar, series: Sequence[Series] = (REPORTED, ESTIMATED)) -> BarChart:
    return BarChart("Cost", tuple(series), bars, _say)


MONDAY = Bar("Monday 2 March", "2 Mar", (Decimal(3), Decimal(1)))
TUESDAY = Bar("Tuesday 3 March", "3 Mar", (Decimal(2), None), note="1 run of unknown cost", href="/runs?day=3")
WEDNESDAY = Bar("Wednesday 4 March", "4 Mar", (None, None))


def test_the_whole_is_said_in_one_sentence_and_each_bar_in_its_own() -> None:
    assert titles(parse(draw_bars(_chart(MONDAY, TUESDAY, WEDNESDAY)))) == [
        "Cost: Monday 2 March to Wednesday 4 March, at most $4 (Monday 2 March).",
        "Monday 2 March: $4 (reported $3, estimated $1)",
        "Tuesday 3 March: $2; 1 run of unknown cost",
        "Wednesday 4 March: unknown",
    ]
    assert titles(parse(draw_bars(_chart(MONDAY))))[0] == "Cost: Monday 2 March $4."


def test_the_table_says_the_same_the_newest_first() -> None:
    table = next(parse(draw_bars(_chart(MONDAY, TUESDAY, WEDNESDAY))).iter("table"))
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert rows == [
        ["Day", "reported", "estimated", "total", "note"],
        ["Wednesday 4 March", "unknown", "unknown", "unknown", ""],
        ["Tuesday 3 March", "$2", "unknown", "$2", "1 run of unknown cost"],
        ["Monday 2 March", "$3", "$1", "$4", ""],
    ]


def test_one_series_needs_no_legend_and_no_sum() -> None:
    figure = parse(draw_bars(_chart(Bar("a", "a", (Decimal(2),)), series=[REPORTED])))
    assert not of_class(figure, "legend")
    assert [cell.text for cell in figure.iter("th") if cell.get("scope") == "col"] == ["Day", "reported"]


def test_several_series_are_named_beside_their_colours() -> None:
    legend = of_class(parse(draw_bars(_chart(MONDAY))), "legend")[0]
    assert ["".join(item.itertext()) for item in legend] == ["reported", "estimated"]


@pytest.mark.parametrize(
    ("bars", "said"),
    [
        ([], "Nothing in this time."),
        ([Bar("a", "a", (Decimal(0), Decimal(0)))], "Nothing in this time."),
        ([WEDNESDAY, Bar("a", "a", (Decimal(0), Decimal(0)))], "Unknown: no run says."),
    ],
)
def test_where_nothing_is_to_be_seen_it_says_why(bars: list[Bar], said: str) -> None:
    figure = parse(draw_bars(_chart(*bars)))
    assert [one.text for one in of_class(figure, "chart-empty")] == [said]
    assert not of_class(figure, "chart-plot")


def test_bars_with_links_are_no_image() -> None:
    plot = of_class(parse(draw_bars(_chart(MONDAY, TUESDAY))), "chart-plot")[0]
    assert plot.attrib["role"] == "group"
    assert [link.attrib["href"] for link in plot.iter("a")] == ["/runs?day=3"]
    assert of_class(parse(draw_bars(_chart(MONDAY))), "chart-plot")[0].attrib["role"] == "img"


def test_the_axis_names_its_ends_and_its_middle() -> None:
    bars = [Bar(f"day {day}", str(day), (day, None)) for day in range(1, 8)]
    figure = parse(draw_bars(replace(_chart(*bars), whole=True)))
    assert [word.text for word in of_class(figure, "chart-x")[0]] == ["1", "4", "7"]
    money = parse(draw_bars(replace(_chart(*bars), say_ticks=money_ticks)))
    assert [word.text for word in of_class(money, "chart-y")[0]] == ["$8", "$6", "$4", "$2", "$0"]
    assert [word.text for word in of_class(figure, "chart-y")[0]] == ["8", "6", "4", "2", "0"]


def test_a_few_bars_stand_at_the_right_of_their_room() -> None:
    figure = parse(draw_bars(replace(_chart(MONDAY, TUESDAY), places=8)))
    assert [length(one, "x") for one in of_class(figure, "hit")] == [60, 70]
    assert of_class(figure, "chart-plot")[0].attrib["viewBox"] == "0 0 80 100"
    assert [word.text for word in of_class(figure, "chart-x")[0]] == [None, "3 Mar"]


@given(_pairs)
def test_heights_are_in_proportion_and_parts_stand_on_each_other(pairs: list[tuple[Decimal | None, ...]]) -> None:
    figure = parse(draw_bars(_chart(*(Bar(f"day {n}", str(n), pair) for n, pair in enumerate(pairs)))))
    sums = [sum(value or 0 for value in pair) for pair in pairs]
    drawn = of_class(figure, "bar")
    if not any(sums):
        assert not drawn
        return
    top = float(max(sums))
    heights = [100 - min([length(part, "y") for part in _parts(bar)], default=100) for bar in drawn]
    scale = max(heights) / top
    assert 50 <= max(heights) <= 100
    for height, bar_sum, bar in zip(heights, sums, drawn, strict=True):
        assert height == pytest.approx(float(bar_sum) * scale, abs=0.05)
        assert sum(length(part, "height") for part in _parts(bar)) == pytest.approx(height, abs=0.05)


def _parts(bar: ET.Element) -> list[ET.Element]:
    return [one for one in bar.iter("rect") if one.get("class") != "hit"]
