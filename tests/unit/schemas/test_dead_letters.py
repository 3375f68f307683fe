from __future__ import annotations

from runledger.schemas import dead_letters
from runledger.schemas.dead_letters import DeadLetter


def letter(detail: str) -> DeadLetter:
    return DeadLetter("not_json", detail, "runledger.run-events", 2, 41, "stage 1", b"k", b"{")


def test_headers_say_what_where_and_who() -> None:
    assert dict(letter("not JSON").headers()) == {
        dead_letters.REASON: b"not_json",
        dead_letters.DETAIL: b"not JSON",
        dead_letters.TOPIC: b"runledger.run-events",
        dead_letters.PARTITION: b"2",
        dead_letters.OFFSET: b"41",
        dead_letters.READER: b"stage 1",
    }


def test_a_long_detail_is_cut() -> None:
    assert len(dict(letter("x" * 501).headers())[dead_letters.DETAIL]) == 500


def test_any_text_can_be_a_detail() -> None:
    assert dict(letter("\udc00").headers())[dead_letters.DETAIL] == rb"\udc00"
