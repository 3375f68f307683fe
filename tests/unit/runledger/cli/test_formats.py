"""Numbers, money and times for a glance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.cli import formats

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        (0, "0"),
        (99_999, "99,999"),
        (100_000, "100k"),
        (999_999, "999.9k"),
        (1_234_567, "1.2M"),
        (12_000_000_000, "12G"),
        (2**53, "9007.1T"),
    ],
)
def test_tokens_take_seven_columns(value: int | None, words: str) -> None:
    assert formats.tokens(value) == words
    assert len(words) <= 7


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        ("0", "$0.00"),
        ("0.00000001", "<$0.0001"),
        ("0.0123456", "$0.0123"),
        ("1", "$1.00"),
        ("1234.567", "$1,234.57"),
    ],
)
def test_money_shows_cents_and_below_a_dollar_two_places_more(value: str | None, words: str) -> None:
    assert formats.usd(None if value is None else Decimal(value)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0, "0s"),
        (0.0204, "20ms"),
        (1, "1.0s"),
        (9.94, "9.9s"),
        (59.9, "59s"),
        (60, "1m"),
        (185, "3m5s"),
        (5400, "1h30m"),
        (200_000, "2d7h"),
        (-3, "0s"),
    ],
)
def test_lengths_of_time_are_in_their_two_largest_units(seconds: float | None, words: str) -> None:
    assert formats.took(seconds) == words


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=-5), "now"),
        (timedelta(seconds=0.5), "now"),
        (timedelta(seconds=59), "59s ago"),
        (timedelta(minutes=61), "1h ago"),
        (timedelta(days=265, hours=3), "265d ago"),
    ],
)
def test_how_long_ago_is_in_its_largest_unit(before: timedelta, words: str) -> None:
    assert formats.ago(NOON - before, NOON) == words


def test_what_is_not_known_is_a_dash_or_a_word() -> None:
    unknown = (formats.count(None), formats.score(None), formats.moment(None), formats.share(1, 0))
    assert unknown == ("-",) * 4
    assert formats.ago(None, NOON) == "never"
    assert (formats.score(0.456), formats.share(1, 3), formats.moment(NOON)) == ("0.46", "33 %", "2026-03-01 12:00:00Z")


@given(st.integers(min_value=0, max_value=2**53))
def test_tokens_are_never_rounded_up(value: int) -> None:
    written = formats.tokens(value).replace(",", "")
    unit = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}.get(written[-1], 1)
    shown = Decimal(written.rstrip("kMGT")) * unit
    assert shown <= value < shown + max(1, unit // 10)
