"""Where the lines of an axis stand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.dashboard.charts.scale import count_ticks, find_ticks, money_ticks


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [
        ("1", "0 0.25 0.50 0.75 1.00"),
        ("7", "0 2 4 6 8"),
        ("100", "0 25 50 75 100"),
        ("0.0042", "0 0.002 0.004 0.006"),
        ("12400", "0 5000 10000 15000"),
    ],
)
def test_ticks_are_numbers_that_people_count_in(largest: str, ticks: str) -> None:
    assert find_ticks(Decimal(largest)) == tuple(map(Decimal, ticks.split()))


@pytest.mark.parametrize(
    ("largest", "ticks"), [(1, (0, 1)), (3, (0, 1, 2, 3)), (9, (0, 3, 6, 9)), (10, (0, 3, 6, 9, 12))]
)
def test_counts_have_whole_ticks(largest: int, ticks: tuple[int, ...]) -> None:
    assert find_ticks(Decimal(largest), whole=True) == ticks


@given(st.decimals(min_value=Decimal("0.0000000001"), max_value=Decimal(10) ** 15), st.integers(1, 8), st.booleans())
def test_ticks_are_even_few_and_reach_the_largest_value(largest: Decimal, most: int, whole: bool) -> None:
    ticks = find_ticks(largest, most, whole=whole)
    step = ticks[1]
    assert ticks == tuple(step * place for place in range(len(ticks)))
    assert ticks[-2] < largest <= ticks[-1]
    assert len(ticks) <= most + 1
    assert not whole or all(tick == int(tick) for tick in ticks)


@pytest.mark.parametrize(
    ("ticks", "written"),
    [
        ("0 1 2", "0 1 2"),
        ("0 2500 5000", "0 2,500 5,000"),
        ("0 50000 100000", "0 50k 100k"),
        ("0 2500 5000 7500 10000", "0 2.5k 5k 7.5k 10k"),
        ("0 1000000 2000000", "0 1M 2M"),
        ("0 5E+9", "0 5B"),
    ],
)
def test_counts_are_written_in_one_unit(ticks: str, written: str) -> None:
    assert count_ticks([Decimal(tick) for tick in ticks.split()]) == written.split()


@pytest.mark.parametrize(
    ("ticks", "written"),
    [
        ("0 5 10 15", "$0 $5 $10 $15"),
        ("0 0.2 0.4", "$0 $0.20 $0.40"),
        ("0 2.5 5.0 7.5", "$0 $2.50 $5.00 $7.50"),
        ("0 0.0005 0.0010", "$0 $0.0005 $0.0010"),
        ("0 5E+3 1E+4 15E+3", "$0 $5k $10k $15k"),
        ("0 2500 5000 7500 10000", "$0 $2.5k $5.0k $7.5k $10.0k"),
    ],
)
def test_money_is_written_with_as_many_places_at_every_tick(ticks: str, written: str) -> None:
    assert money_ticks([Decimal(tick) for tick in ticks.split()]) == written.split()
