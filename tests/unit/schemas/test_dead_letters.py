"""A dead letter holds all that explains and repeats the record it stands for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas import dead_letters
from runledger.schemas.dead_letters import REASONS, DeadLetter, OriginalHeaders, Reason, original_headers
from runledger.schemas.errors import DecodeReason
from runledger.schemas.topics import DEAD_LETTERS


def letter(
    detail: str = "not JSON",
    key: bytes | None = b"k",
    value: bytes | None = b"{",
    original: OriginalHeaders = (),
) -> DeadLetter:
    return DeadLetter(
        "not_json", detail, "runledger.run-events", 2, 41, "runs", key, value, 1_700_000_000_123, original
    )


def test_headers_say_what_where_when_and_who() -> None:
    assert dict(letter().headers()) == {
        dead_letters.REASON: b"not_json",
        dead_letters.DETAIL: b"not JSON",
        dead_letters.TOPIC: b"runledger.run-events",
        dead_letters.PARTITION: b"2",
        dead_letters.OFFSET: b"41",
        dead_letters.LOGGED_AT_MS: b"1700000000123",
        dead_letters.READER: b"runs",
        dead_letters.READER_VERSION: dead_letters.reader_version().encode(),
    }


def test_a_long_detail_is_cut() -> None:
    assert len(dict(letter("x" * 501).headers())[dead_letters.DETAIL] or b"") == 500


def test_any_text_can_be_a_detail() -> None:
    assert dict(letter("\udc00").headers())[dead_letters.DETAIL] == rb"\udc00"


_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["ce_id", dead_letters.REASON, dead_letters.ORIGINAL, "a\0b", "%00", "%2500", ""]
)


@given(st.lists(st.tuples(_NAMES, st.none() | st.binary(max_size=8)), max_size=6))
def test_the_records_own_headers_come_back_byte_for_byte(original: list[tuple[str, bytes | None]]) -> None:
    headers = letter(original=original).headers()
    assert original_headers(headers) == original
    assert [content for name, content in headers if name == dead_letters.REASON] == [b"not_json"]
    assert all("\0" not in name for name, _ in headers)


def test_what_has_no_room_is_cut_and_told() -> None:
    large = letter(
        key=b"k" * (dead_letters.MAX_KEY_BYTES + 1),
        value=b"v" * (dead_letters.MAX_VALUE_BYTES + 1),
        original=[("a", b"1"), ("b", b"x" * dead_letters.MAX_HEADERS_BYTES), ("c", b"3")],
    )
    headers = large.headers()
    assert original_headers(headers) == [("a", b"1")]
    told = {dead_letters.KEY_CUT_FROM_BYTES, dead_letters.CUT_FROM_BYTES, dead_letters.HEADERS_LEFT_OUT}
    assert {name: content for name, content in headers if name in told} == {
        dead_letters.KEY_CUT_FROM_BYTES: b"%d" % (dead_letters.MAX_KEY_BYTES + 1),
        dead_letters.CUT_FROM_BYTES: b"%d" % (dead_letters.MAX_VALUE_BYTES + 1),
        dead_letters.HEADERS_LEFT_OUT: b"2",
    }
    size = len(large.key or b"") + len(large.value or b"") + sum(len(name) + len(it or b"") for name, it in headers)
    assert size < DEAD_LETTERS.max_message_bytes


def test_every_reason_is_explained() -> None:
    assert set(REASONS) == set(get_args(Reason))
    assert set(get_args(DecodeReason)) <= set(REASONS)


def test_the_page_explains_every_reason_as_the_code_does() -> None:
    page = (Path(__file__).parents[3] / "docs" / "dead-letters.md").read_text(encoding="utf-8")
    table = page.split("| reason | meaning |")[1].split("\n\n")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", table, re.MULTILINE)) == dict(REASONS)


def test_headers_that_the_client_cannot_give_are_none() -> None:
    def ask() -> OriginalHeaders:
        raise SystemError("returned a result with an exception set")

    assert dead_letters.headers_of(ask) == []
    assert dead_letters.headers_of(lambda: {"a": "b"}) == [("a", b"b")]
    assert dead_letters.headers_of(lambda: None) == []
