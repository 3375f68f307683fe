"""The graph of memory is an SVG with a line for each process."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.faults.graph import draw

SVG = "{http://www.w3.org/2000/svg}"


def lines_of(drawn: str) -> list[list[tuple[float, float]]]:
    """The points of each line."""
    found = ElementTree.fromstring(drawn).iter(f"{SVG}polyline")  # noqa: S314  # drawn by ourselves
    pairs = [line.attrib["points"].split() for line in found]
    return [[(float(x), float(y)) for x, y in (pair.split(",") for pair in line)] for line in pairs]


def test_each_process_has_a_line_that_rises_as_its_memory_does() -> None:
    sink, processor = lines_of(draw([0, 30, 60], {"sink-1": [50, 50, 50], "processor-1": [50, 100, 150]}))[::-1]
    assert [y for _, y in processor] == sorted((y for _, y in processor), reverse=True)
    assert len({y for _, y in sink}) == 1
    assert processor[0] == sink[0]
    assert [x for x, _ in sink] == [x for x, _ in processor] == sorted(x for x, _ in sink)


def test_a_line_is_broken_where_the_process_was_not_there() -> None:
    before, after = lines_of(draw([0, 1, 2, 3, 4, 5], {"guest": [None, 10, 20, None, 15, None]}))
    assert (len(before), len(after)) == (2, 1)
    assert before[-1][0] < after[0][0]


def test_everything_lies_within_the_picture() -> None:
    drawn = draw(list(range(1800)), {f"p-{number}": [number * 90] * 1800 for number in range(9)})
    _, _, width, height = map(int, ElementTree.fromstring(drawn).attrib["viewBox"].split())  # noqa: S314  # drawn by ourselves
    points = [point for line in lines_of(drawn) for point in line]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)


def test_names_and_minutes_are_written() -> None:
    drawn = draw([0, 600], {"sink-1": [10, 20]})
    texts = {text.text for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")}  # noqa: S314  # drawn by ourselves
    assert {"sink-1", "0 min", "10 min", "MiB resident"} <= texts


def test_notes_stand_below_the_picture() -> None:
    drawn = ElementTree.fromstring(draw([0, 60], {"sink-1": [10, 20]}, ["a & b", "second"]))  # noqa: S314  # drawn by ourselves
    height = int(drawn.attrib["viewBox"].split()[-1])
    places = {text.text: float(text.attrib["y"]) for text in drawn.iter(f"{SVG}text")}
    assert places["0 min"] < places["a & b"] < places["second"] < height


def test_nothing_seen_draws_an_empty_graph() -> None:
    assert lines_of(draw([], {})) == []
