"""Stacked bars over time, or over runs: a figure with its axis, its legend, and the same as a table.

Words stand beside the plot as HTML, so that they keep their size on a phone.
"""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

from runledger.analytics.dashboard.charts.bar_chart import Bar, BarChart, known, say_sum
from runledger.analytics.dashboard.charts.bar_plot import draw_plot
from runledger.analytics.dashboard.charts.scale import find_ticks
from runledger.analytics.dashboard.charts.svg import element, group


def draw_bars(chart: BarChart) -> Markup:
    """Draw the chart as a figure, with its table beneath."""
    largest = max((known(bar) for bar in chart.bars), default=Decimal(0))
    head = element("figcaption", element("span", chart.title, class_="chart-title"), _draw_legend(chart))
    if not largest:
        unknown = any(None in bar.values for bar in chart.bars)
        said = chart.unknown if unknown else chart.empty
        return element("figure", head, element("p", said, class_="chart-empty"), class_="chart")
    ticks = find_ticks(largest, whole=chart.whole)
    return element(
        "figure",
        head,
        element(
            "div",
            element(
                "div",
                *(element("span", said) for said in reversed(chart.say_ticks(ticks))),
                class_="chart-y",
                aria_hidden="true",
            ),
            draw_plot(chart, ticks),
            element(
                "div",
                *(element("span", tick) for tick in _axis_words(chart)),
                class_="chart-x",
                aria_hidden="true",
            ),
            class_="chart-area",
        ),
        _draw_table(chart),
        class_="chart",
    )


def _axis_words(chart: BarChart) -> list[str]:
    """Name the bars that stand at the ends of the axis and in its middle; of a few bars at the right, the last."""
    bars = chart.bars
    last = len(bars) - 1
    if last + 1 < chart.places:
        return ["", bars[last].tick]
    return [bars[place].tick for place in sorted({0, last // 2, last})]


def _draw_legend(chart: BarChart) -> Markup:
    if len(chart.series) < 2:  # noqa: PLR2004  # one series is named by the title
        return Markup("")
    keys = (
        element(
            "li",
            element(
                "svg",
                element("rect", class_=f"tone-{series.tone}", x=0, y=0, width=10, height=10, rx=2),
                viewBox="0 0 10 10",
                width=10,
                height=10,
                aria_hidden="true",
            ),
            series.name,
        )
        for series in chart.series
    )
    return element("ul", *keys, class_="legend")


def _draw_table(chart: BarChart) -> Markup:
    several = len(chart.series) > 1
    headers = [chart.label_header, *(series.name for series in chart.series), *(["total"] if several else [])]
    noted = any(bar.note for bar in chart.bars)
    heads = [element("th", header, scope="col") for header in headers]
    if noted:
        heads.append(element("th", "note", scope="col"))
    table = element(
        "table",
        element("caption", chart.title),
        element("thead", element("tr", *heads)),
        element("tbody", *(_draw_row(chart, bar, several=several, noted=noted) for bar in reversed(chart.bars))),
    )
    region = element("div", table, class_="scroll", role="region", aria_label=f"{chart.title}, table", tabindex="0")
    return element("details", element("summary", "As a table"), region, class_="chart-table")


def _draw_row(chart: BarChart, bar: Bar, *, several: bool, noted: bool) -> Markup:
    label: str = bar.label if bar.href is None else element("a", bar.label, href=bar.href)
    cells = [element("td", "unknown" if value is None else chart.say(value), class_="number") for value in bar.values]
    if several:
        unknown = all(value is None for value in bar.values)
        cells.append(element("td", "unknown" if unknown else say_sum(chart, bar), class_="number"))
    if noted:
        cells.append(element("td", bar.note))
    return element("tr", element("th", label, scope="row"), group(cells))
