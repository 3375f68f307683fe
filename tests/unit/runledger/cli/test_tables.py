"""Tables fit whatever terminal they are shown on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.cli.tables import Column, FittingTable
from tests.unit.runledger.cli.build import printed


def _table() -> FittingTable:
    table = FittingTable(
        Column("agent", gives="cut"),
        Column("runs", right=True),
        Column("score", right=True, leaves=1),
        Column("summary", gives="cut", leaves=2),
        Column("note", leaves=3),
    )
    table.add("sage", "1,234", "0.95", "Refactored the session pool, and told everybody [red]", "")
    table.add("a name that is quite long", "7", "0.10", "x", "")
    return table


def test_with_room_everything_is_whole_and_empty_columns_are_left_out() -> None:
    lines = printed(_table(), 120).splitlines()
    assert lines[0].split() == ["agent", "runs", "score", "summary"]
    assert "told everybody [red]" in lines[1]


def test_texts_give_way_first_then_columns_leave_and_numbers_stay_whole() -> None:
    assert "…" in printed(_table(), 60)
    assert printed(_table(), 60).splitlines()[0].split() == ["agent", "runs", "score", "summary"]
    narrow = printed(_table(), 30)
    assert narrow.splitlines()[0].split() == ["agent", "runs", "score"]
    assert "1,234" in printed(_table(), 22)
    assert printed(_table(), 22).splitlines()[0].split() == ["agent", "runs"]


@pytest.mark.parametrize("width", [1, 5, 10])
def test_where_nothing_can_leave_any_more_it_is_still_drawn(width: int) -> None:
    assert printed(_table(), width)


def test_what_folds_takes_more_lines_and_loses_nothing() -> None:
    table = FittingTable(Column("why", gives="fold"), Column("n", right=True))
    table.add("word " * 20, "1")
    shown = printed(table, 40)
    assert shown.count("word") == 20
    assert "…" not in shown


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5), st.integers(min_value=20, max_value=200))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    table = FittingTable(Column("a", gives="cut"), Column("b", gives="fold"), Column("c", gives="cut", leaves=1))
    for row in rows:
        table.add(*("".join(letter for letter in cell if letter.isascii() and letter.isprintable()) for cell in row))
    assert all(len(line) <= width for line in printed(table, width).splitlines())
    assert len(table) == len(rows)
