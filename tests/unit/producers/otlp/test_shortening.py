"""A text is cut to its limit, and no half of a secret is left where it was cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.producers.otlp.requests import SHORTENER

KEY = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0B\n" * 100 + "-----END PRIVATE KEY-----"
TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "a1B2c3"


@given(st.text(max_size=300), st.integers(3, 200))
def test_a_text_takes_no_more_than_its_limit(text: str, limit: int) -> None:
    for short in (SHORTENER.cut(text, limit), SHORTENER.cut_within(text, limit)):
        assert len(short) <= limit
        if len(text) <= limit:
            assert short == text


def test_a_cut_shows_and_keeps_the_beginning() -> None:
    assert SHORTENER.cut("abcdef", 4) == "abc…"


def test_a_cut_within_keeps_both_ends() -> None:
    assert SHORTENER.cut_within("Traceback " + "x" * 50_000 + " ValueError: no", 40).startswith("Traceback")
    assert SHORTENER.cut_within("Traceback " + "x" * 50_000 + " ValueError: no", 40).endswith("ValueError: no")


def test_no_half_of_a_secret_stands_where_a_text_was_cut() -> None:
    for secret, telling in ((KEY, "MIIEvQ"), (TOKEN, "ghp_")):
        for shift in (1, 20, 30):
            text = "word " * 500
            begin = 2000 - shift
            cut = SHORTENER.cut(f"{text[: begin - 1]} {secret} {text}", 2000)
            assert telling not in cut
            assert len(cut) <= 2000
            for length in (500, 3000, 30_000):
                within = SHORTENER.cut_within(f"{text[: 999 - shift]} {secret} {'word ' * length}", 2000)
                assert telling not in within
                within = SHORTENER.cut_within(f"{'word ' * length}{secret} {text[: 999 - shift]}", 2000)
                assert telling not in within


def test_a_text_that_fits_once_it_is_masked_is_whole() -> None:
    assert SHORTENER.cut(f"key: {KEY} end", 100) == "key: [masked:private_key] end"
    assert SHORTENER.cut_within(f"key: {KEY} end", 100) == "key: [masked:private_key] end"
