from __future__ import annotations

import pytest

from runledger.integrations.previews import last_user_text, preview
from runledger.producers.masking import Masker

MASKER = Masker()
PARTS = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:"}}, {"text": "here"}]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("hello", "hello"),
        (["one", "two"], "two"),
        ([{"role": "user", "content": "first"}, {"role": "user", "content": "second"}], "second"),
        ([{"role": "user", "content": "asked"}, {"role": "assistant", "content": "answered"}], "asked"),
        ([{"role": "user", "content": PARTS}], "look\nhere"),
        ([{"role": "user", "content": "text"}, {"role": "user", "content": [{"type": "input_image"}]}], "text"),
    ],
)
def test_the_last_text_of_the_user_is_found(asked: object, text: str) -> None:
    assert last_user_text(asked) == text


@pytest.mark.parametrize("asked", [None, "", [], [1, 2], [[1, 2]], 7, [{"role": "system", "content": "s"}], [object()]])
def test_there_may_be_none(asked: object) -> None:
    assert last_user_text(asked) is None


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    shown = preview("word " * 10_000, MASKER)
    assert shown is not None
    assert len(shown) == 2000
    assert shown.endswith("…")
    assert preview("x" * 2000, MASKER) == "x" * 2000
    assert preview(None, MASKER) is None


def test_a_secret_across_the_cut_is_masked_whole() -> None:
    secret = "sk-proj-Zx81mQpL0vRt56YbNc27KdWe93HsUa"  # noqa: S105  # planted
    shown = preview("x " * 990 + secret + " and more " * 50, MASKER)
    assert shown is not None
    assert secret[:12] not in shown


def test_what_no_database_takes_is_escaped() -> None:
    assert preview("a\x00b\ud800c", MASKER) == "a\\x00b\\ud800c"
