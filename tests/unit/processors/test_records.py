"""Values between the fold and the broker."""

from __future__ import annotations

from datetime import UTC, datetime

from runledger.processors.records import Changes, Output, Tombstone, log_time


def test_log_time_is_aware_and_exact() -> None:
    assert log_time(1_767_225_600_123) == datetime(2026, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)


def test_changes_are_true_where_there_is_something_to_write() -> None:
    assert not Changes[int]()
    assert not Changes[int](seen={1: 2}, asked={b"a": 1}, last_logged_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert Changes[int](next_offset=0)
    assert Changes[int](snapshots={b"a": Tombstone("evicted")})
    assert Changes[int](outputs=[Output("t", None, None)])
