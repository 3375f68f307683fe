"""The sparkline: how a figure went, as small as a word."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup

from runledger.analytics.dashboard.charts.svg import element, number

_MARGIN = 2.5


def draw_sparkline(
    values: Sequence[float | Decimal | None], *, label: str, width: int = 96, height: int = 24
) -> Markup:
    """Draw a line from the oldest value to the newest, over an axis that begins at 0.

    Args:
        values: the oldest first, none below 0; None is unknown and leaves a gap.
        label: what it shows, in words that say the same.
        width: in pixels.
        height: in pixels.
    """
    places = _place(values, width, height)
    drawn = [element("title", label)]
    drawn.append(element("line", class_="spark-axis", x1=0, y1=height - 0.5, x2=width, y2=height - 0.5))
    for stretch in _stretches(places):
        (first_x, _), (last_x, _) = stretch[0], stretch[-1]
        line = "L".join(f"{number(x)} {number(y)}" for x, y in stretch)
        if len(stretch) > 1:
            area = f"M{number(first_x)} {height}L{line}L{number(last_x)} {height}Z"
            drawn += [element("path", class_="spark-area", d=area), element("path", class_="spark-line", d=f"M{line}")]
        else:
            drawn.append(element("circle", class_="spark-dot", cx=first_x, cy=stretch[0][1], r=1.5))
    if places and places[-1] is not None:
        x, y = places[-1]
        drawn.append(element("circle", class_="spark-dot", cx=x, cy=y, r=2))
    return element(
        "svg", *drawn, class_="spark", viewBox=f"0 0 {width} {height}", width=width, height=height, role="img"
    )


def _place(values: Sequence[float | Decimal | None], width: int, height: int) -> list[tuple[float, float] | None]:
    """Give each value its point, in pixels from the upper left."""
    largest = float(max((value for value in values if value is not None), default=0))
    step = (width - 2 * _MARGIN) / max(1, len(values) - 1)
    deep = height - 2 * _MARGIN
    return [
        None
        if value is None
        else (_MARGIN + place * step, _MARGIN + deep * (1 - (float(value) / largest if largest else 0)))
        for place, value in enumerate(values)
    ]


def _stretches(places: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Part the points where one is unknown."""
    stretches: list[list[tuple[float, float]]] = []
    before: tuple[float, float] | None = None
    for place in places:
        if place is not None:
            if before is None:
                stretches.append([])
            stretches[-1].append(place)
        before = place
    return stretches
