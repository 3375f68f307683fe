"""Too many dead letters are told from poison, whatever the batches, restarts and overrides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas.dead_letter_limits import WINDOW_RECORDS, Limits, Refusals, count

STRICT = Limits(in_a_row=3)
LOOSE = Limits(in_a_row=10_000, ratio=0.5)


def walk(pattern: str, limits: Limits, refusals: Refusals | None = None) -> tuple[Refusals, int | None]:
    """Count a text of good records (.) and dead letters (x); return the offset of the one too many."""
    refused = {offset for offset, letter in enumerate(pattern) if letter == "x"}
    after, excess = count(refusals or Refusals(), range(len(pattern)), refused, limits)
    return after, None if excess is None else excess.offset


@pytest.mark.parametrize(
    ("pattern", "stops_at"), [("xxx", None), ("xxxx", 3), ("xx.xx.xx", None), ("..xxxxx", 5), ("xxx.xxxx", 7)]
)
def test_so_many_in_a_row_are_too_many(pattern: str, stops_at: int | None) -> None:
    assert walk(pattern, STRICT)[1] == stops_at


def test_a_restart_goes_on_counting() -> None:
    before, _ = walk("..xxx", STRICT)
    assert walk("x", STRICT, before)[1] == 0
    assert walk(".x", STRICT, before)[1] is None


def test_more_than_half_of_a_window_is_too_many() -> None:
    assert walk("xx." * 400, LOOSE)[1] == WINDOW_RECORDS - 1
    assert walk("x." * 2000, LOOSE)[1] is None
    assert walk("xx." * 300, LOOSE)[1] is None


def test_a_mended_reader_goes_on_after_a_stop_by_ratio() -> None:
    """What it refused before is in the window still, but a stop needs another dead letter."""
    stopped, _ = walk("xx." * 333, LOOSE)
    assert walk("." * 5000 + "x", LOOSE, stopped)[1] is None


def test_zero_switches_both_limits_off_and_leaves_nothing_behind() -> None:
    off = Limits(in_a_row=0)
    flooded, excess = walk("x" * 5000, off)
    assert excess is None
    assert walk(".x", STRICT, flooded)[1] is None
    assert walk("x", STRICT, flooded)[1] == 0


def test_many_good_records_count_as_one_by_one_would() -> None:
    assert Refusals(2, 10, 2).after_good(5, LOOSE) == walk(".....", LOOSE, Refusals(2, 10, 2))[0]
    assert Refusals(2, 10, 2).after_good(0, LOOSE) == Refusals(2, 10, 2)


@given(st.integers(0, 2500), st.integers(0, 3000), st.integers(0, 3500), st.sampled_from([0.1, 0.3, 0.5, 1.0]))
def test_good_records_end_a_window_where_they_would_one_by_one(
    letters: int, before: int, more: int, ratio: float
) -> None:
    for limits in (Limits(10_000, ratio), Limits(0, ratio)):
        start = Refusals(1, letters + before, letters)
        one_by_one = start
        for _ in range(more):
            one_by_one = one_by_one.after_good(1, limits)
        assert start.after_good(more, limits) == one_by_one


@given(st.text("x.", max_size=60), st.integers(0, 60))
def test_where_it_stops_does_not_depend_on_batches(pattern: str, cut: int) -> None:
    whole = walk(pattern, STRICT)
    first, stopped = walk(pattern[:cut], STRICT)
    if stopped is not None:
        assert stopped == whole[1]
        return
    after, stopped = walk(pattern[cut:], STRICT, first)
    assert (after, None if stopped is None else stopped + len(pattern[:cut])) == whole


@pytest.mark.parametrize("text", ["", "1;2", "1,2,3,4", "a,b,c", "-1,0,0", "0,1,2"])
def test_what_is_no_count_counts_nothing(text: str) -> None:
    assert Refusals.from_text(text) == Refusals()


def test_counts_survive_as_text() -> None:
    assert Refusals.from_text(Refusals(3, 20, 7).as_text()) == Refusals(3, 20, 7)


def test_an_excess_names_setting_and_command() -> None:
    _, excess = count(Refusals(), range(9), set(range(9)), STRICT)
    assert "RUNLEDGER_DEAD_LETTER_LIMIT" in str(excess)
    assert "runledger dlq list" in str(excess)
