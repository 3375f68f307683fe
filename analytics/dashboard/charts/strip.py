"""The strip: an agent's last outcomes side by side, the newest at the right.

What a cell tells, it tells by shape and by colour: success is low, partial is low with a gap, failed is tall, a timeout
is tall with a gap; a silent run is hollow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from markupsafe import Markup

from runledger.analytics.dashboard.charts.svg import element, number

CellKind: TypeAlias = Literal["success", "partial", "failed", "timed_out"]
PLACES = 32
"""So many outcomes order themselves by their ends (docs/ledger.md), and so many are shown."""
_WORDS: dict[CellKind, str] = {
    "success": "success",
    "partial": "partial",
    "failed": "failed",
    "timed_out": "timed out",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One finished run."""

    kind: CellKind
    silent: bool = False
    """It shows no meaningful output."""
    label: str = ""
    """What is said of it when it is pointed at."""
    href: str | None = None
    """Where it leads."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """Lengths in pixels."""

    width: int
    gap: int
    height: int


_SMALL = _Shape(width=4, gap=2, height=22)
_LARGE = _Shape(width=13, gap=5, height=56)
_KEY = _Shape(width=6, gap=2, height=16)


def say_strip(cells: Sequence[Cell]) -> str:
    """Say in words what the strip shows."""
    if not cells:
        return "No run has finished yet."
    if len(cells) == 1:
        return f"One run: {_WORDS[cells[0].kind]}{', silent' if cells[0].silent else ''}."
    counts = Counter(cell.kind for cell in cells)
    said = ", ".join(f"{counts[kind]} {word}" for kind, word in _WORDS.items() if counts[kind])
    silent = sum(cell.silent for cell in cells)
    return f"The last {len(cells)} runs: {said}{f'; {silent} silent' if silent else ''}."


def draw_strip(cells: Sequence[Cell]) -> Markup:
    """Draw the strip for a line of a table.

    Cells of one look are one path: a list of fifty agents has 1,600 of them, and as elements they took 0.2 s to write.

    Args:
        cells: the oldest first; of more than 32 the newest.
    """
    traces: dict[str, list[str]] = {}
    for cell, left in _place(cells, _SMALL):
        traces.setdefault(_name(cell), []).append(_trace(cell, left, _SMALL))
    drawn = [element("path", class_=name, d="".join(parts)) for name, parts in traces.items()]
    return _frame(cells, _SMALL, drawn, class_="strip", role="img")


def draw_large_strip(cells: Sequence[Cell]) -> Markup:
    """Draw the strip as wide as a page: each cell says what it is, and leads where it says.

    Args:
        cells: the oldest first; of more than 32 the newest.
    """
    drawn = [_draw_cell(cell, left, _LARGE) for cell, left in _place(cells, _LARGE)]
    # An image has no links in it, for those who hear the page.
    if any(cell.href for cell in cells):
        return _frame(cells, _LARGE, drawn, class_="strip strip-large", role="group")
    return _frame(cells, _LARGE, drawn, class_="strip strip-large", role="img")


def draw_strip_legend() -> Markup:
    """Draw what the shapes mean, as a list."""
    kinds = [(Cell(kind), word) for kind, word in _WORDS.items()]
    kinds.append((Cell("success", silent=True), "silent: no output"))
    return element("ul", *(element("li", _draw_key(cell), word) for cell, word in kinds), class_="legend")


def _draw_key(cell: Cell) -> Markup:
    drawn = element("path", class_=_name(cell), d=_trace(cell, 1, _KEY))
    return element("svg", drawn, class_="strip-key", viewBox="0 0 8 16", width=8, height=16, aria_hidden="true")


def _place(cells: Sequence[Cell], shape: _Shape) -> list[tuple[Cell | None, int]]:
    """Give every place of the strip its cell, None where no run has taken it yet, and its left edge."""
    shown = cells[-PLACES:]
    places: list[Cell | None] = [None] * (PLACES - len(shown))
    places += shown
    return [(cell, place * (shape.width + shape.gap)) for place, cell in enumerate(places)]


def _frame(cells: Sequence[Cell], shape: _Shape, drawn: Sequence[Markup], *, class_: str, role: str) -> Markup:
    width = PLACES * (shape.width + shape.gap) - shape.gap
    said = say_strip(cells[-PLACES:])
    return element(
        "svg",
        element("title", said),
        *drawn,
        class_=class_,
        viewBox=f"0 0 {width} {shape.height}",
        width=width,
        height=shape.height,
        # The stylesheet gives the large one another shape.
        preserveAspectRatio="none",
        role=role,
        aria_label=said if role == "group" else None,
    )


def _draw_cell(cell: Cell | None, left: int, shape: _Shape) -> Markup:
    drawn = element("path", d=_trace(cell, left, shape))
    if cell is None:
        return element("g", drawn, class_=_name(cell))
    # Easy to hit: the whole height, and half of the gap at either side.
    hit = element("rect", class_="hit", x=left - shape.gap / 2, y=0, width=shape.width + shape.gap, height=shape.height)
    whole = element("g", element("title", cell.label or _WORDS[cell.kind]), hit, drawn, class_=_name(cell))
    if cell.href is None:
        return whole
    # The table beneath holds the same links: the strip alone would be 32 stops of the Tab key.
    return element("a", whole, href=cell.href, aria_label=cell.label or _WORDS[cell.kind], tabindex="-1")


def _name(cell: Cell | None) -> str:
    """Name the look of a cell, as the stylesheet does."""
    if cell is None:
        return "cell-none"
    return f"cell cell-{cell.kind.replace('_', '-')}{' cell-silent' if cell.silent else ''}"


def _trace(cell: Cell | None, left: int, shape: _Shape) -> str:
    """Trace the blocks of a cell; those of a silent one lie half a pixel within, for the line around them."""
    inset = 0.5 if cell is not None and cell.silent else 0.0
    across, width = number(left + inset), number(shape.width - 2 * inset)
    return "".join(
        f"M{across} {number(top + inset)}h{width}v{number(max(1.0, height - 2 * inset))}h-{width}z"
        for top, height in _blocks(cell, shape)
    )


def _blocks(cell: Cell | None, shape: _Shape) -> list[tuple[int, int]]:
    """Return (top, height) of each block of a cell."""
    if cell is None:
        return [(shape.height - 2, 2)]
    height = shape.height if cell.kind in {"failed", "timed_out"} else round(shape.height * 0.55)
    top = shape.height - height
    if cell.kind in {"success", "failed"}:
        return [(top, height)]
    gap = max(2, shape.height // 10)
    upper = (height - gap) // 2
    return [(top, upper), (top + upper + gap, height - gap - upper)]
