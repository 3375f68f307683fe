from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.intervals import MAX_INTERVAL_SECONDS, parse_interval, say_interval


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("1h", 3600), ("1h30m", 5400), ("1d", 86_400), ("2d3h4m5s", 183_845), ("24h", 86_400)],
)
def test_an_interval_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert parse_interval(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "1", "h", "1.5h", "-1h", "30m1h", "1w", "1H", "0s", "367d", "9" * 40 + "d", "\u0661h", "1h\n"]
)
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no length of time|is not between"):
        parse_interval(text)


@given(st.integers(1, MAX_INTERVAL_SECONDS))
def test_what_is_said_is_read_back(seconds: int) -> None:
    assert parse_interval(say_interval(seconds)) == seconds


def test_nothing_is_said_too() -> None:
    assert say_interval(0) == "0s"


def test_an_age_may_be_longer_than_an_interval() -> None:
    assert parse_interval("730d", 800 * 24 * 3600) == 730 * 24 * 3600
    with pytest.raises(ValueError, match="between 1s and 800d"):
        parse_interval("801d", 800 * 24 * 3600)
