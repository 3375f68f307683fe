from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runledger.analytics.dashboard import formats

NOW = datetime(2026, 11, 22, 10, 15, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (1.9, "just now"),
        (2, "2 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_400, "1 d ago"),
        (29 * 86_400, "29 d ago"),
        (30 * 86_400, "2026-10-23"),
        (-90, "in 1 min"),
    ],
)
def test_a_moment_is_said_by_how_long_ago_it_was(seconds: float, said: str) -> None:
    assert formats.relative(NOW - timedelta(seconds=seconds), NOW) == said


def test_a_time_says_the_exact_moment_in_its_title_and_for_programs() -> None:
    written = formats.ago(NOW, NOW + timedelta(minutes=5))
    assert 'title="2026-11-22 10:15:03 UTC"' in written
    assert 'datetime="2026-11-22T10:15:03+00:00"' in written
    assert written.endswith(">5 min ago</time>")


def test_what_never_happened_is_said_in_words_and_escaped() -> None:
    assert formats.ago(None, NOW, "<never>") == '<span class="unknown">&lt;never&gt;</span>'


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (9_999, "9,999"),
        (10_000, "10.0k"),
        (108_223, "108k"),
        (999_400, "999k"),
        (999_600, "1.00M"),
        (1_254_000, "1.25M"),
        (12_340_000_000, "12.3B"),
    ],
)
def test_large_numbers_are_short(number: int, said: str) -> None:
    assert f">{said}<" in f">{formats.count(number)}<"


def test_a_short_number_says_the_whole_one_in_its_title() -> None:
    assert 'title="1,254,001"' in formats.count(1_254_001)


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        ("0", "$0.00"),
        ("12.3456", "$12.35"),
        ("9999.99", "$9,999.99"),
        ("123456", "$123k"),
        ("0.14", "$0.140"),
        ("0.0042", "$0.0042"),
        ("0.00000056", "<$0.000001"),
    ],
)
def test_money_shows_as_many_places_as_it_takes(usd: str, said: str) -> None:
    assert formats.dollars(Decimal(usd)) == said


def test_money_says_all_its_places_in_the_title() -> None:
    assert 'title="$0.0280000001"' in formats.money(Decimal("0.0280000001"))


@pytest.mark.parametrize("write", [formats.money, formats.count, formats.duration, formats.share, formats.score])
def test_unknown_is_said_and_never_zero(write: object) -> None:
    assert callable(write)
    assert write(None) == formats.UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.84, "0.8 s"), (2, "2 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (273_600, "3 d 4 h")],
)
def test_lengths_of_time_have_two_units_at_most(seconds: float, said: str) -> None:
    assert formats.duration(seconds) == said
    assert formats.duration(timedelta(seconds=seconds)) == said
