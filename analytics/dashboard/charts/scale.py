"""Where the lines of a chart's axis stand, and what stands beside them: numbers that people count in."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil

_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_UNITS = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))
_SHORT_FROM = 10_000
_CENTS = 2


def find_ticks(largest: Decimal, most: int = 4, *, whole: bool = False) -> tuple[Decimal, ...]:
    """Return evenly spaced ticks from 0 to one that is not below the largest value.

    Args:
        largest: above 0.
        most: at most so many steps, 1 or more.
        whole: ticks are whole numbers, as counts are.
    """
    rough = largest / most
    power = Decimal(1).scaleb(rough.adjusted())
    step = next(step for factor in _STEPS if (step := factor * power) >= rough)
    if whole:
        step = Decimal(ceil(step))
    steps, rest = divmod(largest, step)
    return tuple(step * number for number in range(int(steps) + (rest > 0) + 1))


def count_ticks(ticks: Sequence[Decimal]) -> list[str]:
    """Write the ticks of an axis: all in thousands, or millions, where the last is large."""
    size, unit = _unit(ticks)
    return [f"{_bare(tick / size)}{unit}" if tick else "0" for tick in ticks]


def money_ticks(ticks: Sequence[Decimal]) -> list[str]:
    """Write the ticks of an axis in US dollars, all with as many places; cents where there are any."""
    size, unit = _unit(ticks)
    places = max(_places(tick / size) for tick in ticks)
    if places and not unit:
        places = max(places, _CENTS)
    return [f"${tick / size:,.{places}f}{unit}" if tick else "$0" for tick in ticks]


def _unit(ticks: Sequence[Decimal]) -> tuple[Decimal, str]:
    """Choose by the last tick: below 10,000 there is no unit."""
    if ticks[-1] < _SHORT_FROM:
        return Decimal(1), ""
    return next((size, unit) for size, unit in _UNITS if ticks[-1] >= size)


def _bare(value: Decimal) -> str:
    return f"{value:,.{_places(value)}f}"


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
