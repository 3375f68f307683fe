"""Bytes of strangers are shown so that they move no cursor, and their secrets only when asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.dlq.rendering import header_line, safe, safe_text


@given(st.none() | st.binary(max_size=80), st.integers(0, 90))
def test_everything_shown_is_printable(content: bytes | None, most_bytes: int) -> None:
    assert safe(content, most_bytes).isprintable()


@pytest.mark.parametrize(
    ("content", "shown"),
    [(None, "none"), (b"", ""), ("é 漢".encode(), "é 漢"), (b"\x1b[2J\n\0", r"\x1b[2J\n\x00"), (b"\xff{", r"\xff{")],
    ids=["none", "nothing", "words", "controls", "no-utf8"],
)
def test_text_stays_and_controls_are_escaped(content: bytes | None, shown: str) -> None:
    assert safe(content) == shown


def test_right_to_left_marks_and_lone_surrogates_are_escaped() -> None:
    assert safe_text("a\u202eb\ud800") == r"a\u202eb\ud800"


def test_what_is_left_out_is_told() -> None:
    assert safe(b"x" * 5000, 10) == "xxxxxxxxxx … 4,990 bytes more"


def test_a_headers_content_is_shown_where_it_holds_no_secret_or_is_asked_for() -> None:
    assert header_line("ce_id", b"e1", payload=False) == "ce_id: e1"
    assert header_line("authorization", b"Bearer x", payload=False) == "authorization: 8 bytes"
    assert header_line("authorization", b"Bearer x", payload=True) == "authorization: Bearer x"
    assert header_line("x", None, payload=False) == "x: none"
