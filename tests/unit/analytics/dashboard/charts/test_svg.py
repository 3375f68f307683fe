"""Elements, and what may stand in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from runledger.analytics.dashboard.charts.svg import element, group, number
from tests.unit.analytics.dashboard.charts.shapes import parse

# What XML can hold at all: HTML takes the rest.
_texts = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))


def test_an_element_has_its_attributes_by_their_names() -> None:
    written = element("rect", class_="bar", aria_label="a", x=1.5, y=2, rx=None)
    assert written == '<rect class="bar" aria-label="a" x="1.5" y="2"/>'


def test_what_holds_an_empty_text_is_ended_all_the_same() -> None:
    assert element("span", "") == "<span></span>"


def test_markup_stands_as_it_is_and_text_is_escaped() -> None:
    assert element("g", element("title", "a < b"), "&") == "<g><title>a &lt; b</title>&amp;</g>"
    assert group([Markup("<b></b>"), "<i>"]) == "<b></b>&lt;i&gt;"


@given(_texts)
def test_whatever_an_agent_writes_stays_text(text: str) -> None:
    parsed = parse(element("g", text, title=text))
    assert (parsed.text or "") == text
    assert parsed.get("title") == text
    assert len(parsed) == 0


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (12, "12"), (1.5, "1.5"), (1 / 3, "0.33"), (2.999, "3"), (100, "100")]
)
def test_lengths_are_short(value: float, written: str) -> None:
    assert number(value) == written
