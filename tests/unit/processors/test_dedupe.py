"""Repeats are found by key and event id, by a window in memory as by one read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.dedupe import SeenWindow, event_hash

HEADER = (("ce_id", b"one"),)


def test_the_header_names_the_event() -> None:
    assert event_hash(b"p/r", b"not json", HEADER) == event_hash(b"p/r", None, HEADER)
    assert event_hash(b"p/r", None, HEADER) != event_hash(b"p/r", None, (("ce_id", b"two"),))


def test_without_a_header_the_body_does() -> None:
    assert event_hash(b"p/r", b'{"id":"one"}', ()) == event_hash(b"p/r", None, HEADER)
    assert event_hash(b"p/r", b'{"id":"one"}', (("other", b"two"),)) == event_hash(b"p/r", None, HEADER)
    assert event_hash(b"p/r", b'{"event_id":"one"}', ()) == event_hash(b"p/r", None, HEADER)
    assert event_hash(b"p/r", b'{"event_id":"two","id":"one"}', ()) == event_hash(b"p/r", None, HEADER)


def test_the_same_id_under_another_key_is_another_event() -> None:
    assert event_hash(b"p/r", None, HEADER) != event_hash(b"p/s", None, HEADER)
    assert event_hash(b"p/r", None, HEADER) != event_hash(b"q/r", None, HEADER)


def test_what_names_no_event_has_no_hash() -> None:
    for value in (None, b"", b"{", b"[]", b'"one"', b"{}", b'{"id":7}', b'{"id":"\\ud800"}', b"[" * 100_000):
        assert event_hash(b"p/r", value, ()) is None
    assert event_hash(b"p/r", None, (("ce_id", None),)) is None


def test_a_record_without_a_key_has_a_hash() -> None:
    assert event_hash(None, None, HEADER) == event_hash(b"", None, HEADER)


def test_the_window_counts_records() -> None:
    window = SeenWindow(10)
    window.add({7: 100}, 101)
    assert window.reaches(window.last(7), 110)
    assert not window.reaches(window.last(7), 111)
    assert not window.reaches(window.last(8), 101)


def test_the_window_forgets_what_lies_behind_it() -> None:
    window = SeenWindow(10)
    for offset in range(1000):
        window.add({offset: offset}, offset + 1)
    assert len(window) <= 16


@given(
    st.lists(st.integers(0, 5), max_size=60),
    st.integers(0, 12),
    st.sets(st.integers(0, 60)),
    st.lists(st.integers(1, 7), max_size=60),
)
def test_a_window_read_back_decides_like_one_that_lived(
    events: list[int], size: int, restarts: set[int], batches: list[int]
) -> None:
    """Restarted before the offsets given, and reading the window back; or alive throughout, in batches."""

    def fold(offset: int, window: SeenWindow, seen: dict[int, int]) -> bool:
        before = seen.get(events[offset])
        seen[events[offset]] = offset
        return window.reaches(window.last(events[offset]) if before is None else before, offset)

    lived, seen, decided = SeenWindow(size), dict[int, int](), []
    left = iter(batches)
    room = next(left, 1)
    for offset in range(len(events)):
        decided.append(fold(offset, lived, seen))
        room -= 1
        if not room:
            lived.add(seen, offset + 1)
            seen, room = {}, next(left, 1)

    window = SeenWindow(size)
    for offset in range(len(events)):
        if offset in restarts:
            window = SeenWindow(size)
            window.add({events[known]: known for known in range(max(0, offset - size), offset)}, offset)
        one: dict[int, int] = {}
        assert fold(offset, window, one) == decided[offset]
        window.add(one, offset + 1)
