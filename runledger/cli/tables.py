"""Tables that fit: numbers and names stay whole, texts give way, and the least important columns leave first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

_GAP = 2
_LEAST_TEXT = 14
"""Columns that a text keeps: fewer say nothing."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        name: its head.
        right: it holds numbers.
        gives: how it gives way where the terminal is narrow: not at all, its texts are cut, or they take more lines.
        leaves: where still more room is needed, or nothing stands in it, the highest leaves first; 0 never does.
    """

    name: str
    right: bool = False
    gives: str = ""
    leaves: int = 0


class FittingTable:
    """A table without lines, drawn for the width that is there.

    Args:
        columns: from left to right.
    """

    def __init__(self, *columns: Column) -> None:
        self._columns = columns
        self._rows: list[tuple[Text, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, *cells: str | Text) -> None:
        """Add a row, a cell for each column; texts are shown as they are, without markup."""
        self._rows.append(tuple(Text(cell) if isinstance(cell, str) else cell for cell in cells))

    def shown(self, width: int) -> list[int]:
        """Return the places of the columns for which there is room, and in which something stands."""
        least = [self._least(number) for number, _ in enumerate(self._columns)]
        places = [number for number, column in enumerate(self._columns) if not column.leaves or self._holds(number)]
        while sum(least[place] + _GAP for place in places) - _GAP > width:
            leaving = max(places, key=lambda place: (self._columns[place].leaves, place))
            if not self._columns[leaving].leaves:
                break
            places.remove(leaving)
        return places

    def _holds(self, number: int) -> bool:
        return any(row[number].plain for row in self._rows)

    def _least(self, number: int) -> int:
        column = self._columns[number]
        widest = max([len(column.name), *(row[number].cell_len for row in self._rows)])
        return min(widest, max(_LEAST_TEXT, len(column.name))) if column.gives else widest

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        places = self.shown(options.max_width)
        table = Table(box=None, header_style="bold", padding=(0, _GAP, 0, 0), pad_edge=False)
        for place in places:
            column = self._columns[place]
            # A column that may wrap is the one that shrinks; its texts themselves are cut where they are not to wrap.
            table.add_column(column.name, justify="right" if column.right else "left", no_wrap=not column.gives)
        for row in self._rows:
            table.add_row(*self._cells(row, places))
        yield table

    def _cells(self, row: Sequence[Text], places: Sequence[int]) -> list[Text]:
        cells = []
        for place in places:
            cell = row[place].copy()
            cell.no_wrap = self._columns[place].gives != "fold"
            cell.overflow = "fold" if self._columns[place].gives == "fold" else "ellipsis"
            cells.append(cell)
        return cells
