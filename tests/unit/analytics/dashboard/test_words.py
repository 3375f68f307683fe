"""What others wrote, as pages show it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.analytics.dashboard.words import line, plain, pretty_json, told

OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"


def test_marks_of_direction_and_controls_are_shown_as_such() -> None:
    assert plain(f"photo{OVERRIDE}gpj.exe\x1b[2J\x9b") == "photo\ufffdgpj.exe\ufffd[2J\ufffd"


@pytest.mark.parametrize("words", ["two\nlines\tand a tab", "שלום", "क्‍ष", "👩\N{ZERO WIDTH JOINER}💻", "<b>bold</b>"])
def test_what_languages_are_written_with_stays(words: str) -> None:
    assert plain(words) == words


def test_long_words_are_cut_with_an_ellipsis() -> None:
    assert plain("a" * 10, 10) == "a" * 10
    assert plain("a" * 11, 10) == "a" * 9 + "…"


def test_a_line_has_no_breaks_and_nothing_is_none() -> None:
    assert line("  did\n\n this\tand that ", 80) == "did this and that"
    assert line(" \n ", 80) is None
    assert line(None, 80) is None
    assert line("word " * 100_000, 9) == "word wor…"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_json_reads_as_the_same_value_without_marks(document: object) -> None:
    written = pretty_json(document)
    assert json.loads(written) == document
    assert plain(written) == written


def test_json_that_depth_makes_long_stands_in_one_line() -> None:
    document: object = [1] * 1000
    for _ in range(30):
        document = [document]
    assert len(pretty_json(document)) > 60_000
    written = pretty_json(document, 60_000)
    assert len(written) < 4000
    assert json.loads(written) == document
    assert pretty_json([1], 7) == "[\n  1\n]"
    assert pretty_json([1], 6) == "[1]"


def test_lines_may_end_as_forms_and_windows_end_them() -> None:
    assert plain("one\r\ntwo\rthree") == "one\ntwo\ufffdthree"
    assert told("one\r\ntwo") == "<bdi>one\ntwo</bdi>"


def test_told_words_are_escaped_and_kept_apart() -> None:
    assert told("<script>&") == "<bdi>&lt;script&gt;&amp;</bdi>"
    assert told(f"a{OVERRIDE}b") == "<bdi>a\ufffdb</bdi>"
    assert told("two\nlines", 20) == "<bdi>two lines</bdi>"


def test_told_words_that_are_cut_stand_in_the_title() -> None:
    assert told('"' * 12, 10) == f'<bdi title="{"&#34;" * 12}">{"&#34;" * 9}…</bdi>'
    assert len(told("x" * 100_000, 10)) < 2000


@pytest.mark.parametrize("words", [None, "", " \n "])
def test_nothing_told_is_said_to_be_so(words: str | None) -> None:
    assert told(words, 10, "no summary") == told(words, None, "no summary") == '<span class="unknown">no summary</span>'
