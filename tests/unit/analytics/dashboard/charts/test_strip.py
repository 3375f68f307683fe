"""The strip of an agent's last outcomes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from runledger.analytics.dashboard.charts.strip import (
    PLACES,
    Cell,
    CellKind,
    draw_large_strip,
    draw_strip,
    draw_strip_legend,
    say_strip,
)
from tests.unit.analytics.dashboard.charts.shapes import length, parse, titles

Draw: TypeAlias = Callable[[Sequence[Cell]], Markup]
_kinds: st.SearchStrategy[CellKind] = st.sampled_from(["success", "partial", "failed", "timed_out"])
_cells = st.lists(st.builds(Cell, _kinds, st.booleans()), max_size=40)


def test_it_says_what_it_shows() -> None:
    cells = [Cell("success"), Cell("success", silent=True), Cell("partial"), Cell("failed"), Cell("timed_out")]
    assert say_strip(cells) == "The last 5 runs: 2 success, 1 partial, 1 failed, 1 timed out; 1 silent."
    assert say_strip(cells[:1]) == "One run: success."
    assert say_strip(cells[1:2]) == "One run: success, silent."
    assert say_strip([]) == "No run has finished yet."
    assert titles(parse(draw_strip(cells)))[0] == say_strip(cells)


_BLOCK = re.compile(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-([\d.]+)z")


@dataclass(frozen=True)
class _Block:
    look: str
    left: float
    top: float
    width: float
    height: float


def _blocks(strip: ET.Element) -> list[_Block]:
    """The blocks of a strip with the names of their looks, from the left and from above."""
    found = []
    for named in (one for one in strip.iter() if "cell" in one.get("class", "")):
        for path in named.iter("path"):
            traces = _BLOCK.findall(path.attrib["d"])
            assert "".join(f"M{x} {y}h{w}v{h}h-{back}z" for x, y, w, h, back in traces) == path.attrib["d"]
            found += [_Block(named.attrib["class"], *map(float, trace[:4])) for trace in traces]
    return sorted(found, key=lambda block: (block.left, block.top))


def _look(cell: Cell) -> str:
    return f"cell cell-{cell.kind.replace('_', '-')}{' cell-silent' if cell.silent else ''}"


@pytest.mark.parametrize("draw", [draw_strip, draw_large_strip])
@given(cells=_cells)
def test_there_are_32_places_filled_from_the_right(draw: Draw, cells: list[Cell]) -> None:
    blocks = _blocks(parse(draw(cells)))
    places = {int(block.left): block.look for block in blocks}
    looks = [places[left] for left in sorted(places)]
    assert len(looks) == PLACES
    shown = cells[-PLACES:]
    assert looks == ["cell-none"] * (PLACES - len(shown)) + [_look(cell) for cell in shown]


@pytest.mark.parametrize("draw", [draw_strip, draw_large_strip])
@given(cells=_cells)
def test_everything_lies_within_and_nothing_on_another(draw: Draw, cells: list[Cell]) -> None:
    strip = parse(draw(cells))
    blocks = _blocks(strip)
    for block in blocks:
        assert 0 <= block.left < block.left + block.width <= length(strip, "width")
        assert 0 <= block.top < block.top + block.height <= length(strip, "height")
    for one, next_one in pairwise(blocks):
        assert one.left + one.width < next_one.left or one.top + one.height < next_one.top


@pytest.mark.parametrize(
    ("kind", "blocks", "tall"),
    [("success", 1, False), ("partial", 2, False), ("failed", 1, True), ("timed_out", 2, True)],
)
@pytest.mark.parametrize("draw", [draw_strip, draw_large_strip])
def test_each_kind_has_a_shape_of_its_own(draw: Draw, kind: CellKind, blocks: int, tall: bool) -> None:
    drawn = [block for block in _blocks(parse(draw([Cell(kind)]))) if block.look != "cell-none"]
    assert len(drawn) == blocks
    assert (drawn[0].top == 0) is tall


def test_a_large_strip_leads_to_its_runs_and_is_no_image_then() -> None:
    cells = [Cell("failed", label="failed, 3 min ago", href="/runs/1"), Cell("success")]
    strip = parse(draw_large_strip(cells))
    assert strip.attrib["role"] == "group"
    (link,) = strip.iter("a")
    assert (link.attrib["href"], link.attrib["aria-label"]) == ("/runs/1", "failed, 3 min ago")
    small = parse(draw_strip(cells))
    assert small.attrib["role"] == "img"
    assert not list(small.iter("a"))
    assert titles(strip) == ["The last 2 runs: 1 success, 1 failed.", "failed, 3 min ago", "success"]


def test_the_legend_names_every_shape() -> None:
    legend = parse(draw_strip_legend())
    assert ["".join(item.itertext()) for item in legend] == [
        "success",
        "partial",
        "failed",
        "timed out",
        "silent: no output",
    ]
