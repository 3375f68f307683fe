from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from runledger.analytics.errors import CursorError
from runledger.analytics.paging import MAX_CURSOR_LENGTH, read_cursor, write_cursor
from runledger.schemas.values import Timestamp

QUESTION = {"list": "runs", "project_key": "acme", "since": datetime(2026, 1, 1, tzinfo=UTC), "agent_id": None}
PLACE: TypeAdapter[tuple[datetime | None, UUID]] = TypeAdapter(tuple[Timestamp | None, UUID])
TEXT: TypeAdapter[tuple[str]] = TypeAdapter(tuple[str])


@given(at=st.none() | st.datetimes(timezones=st.just(UTC)), run_id=st.uuids())
def test_a_place_is_read_as_it_was_written(at: datetime | None, run_id: UUID) -> None:
    assert read_cursor(write_cursor(QUESTION, [at, run_id]), QUESTION, PLACE) == (at, run_id)


@given(text=st.text(max_size=255))
def test_any_agents_name_fits(text: str) -> None:
    cursor = write_cursor(QUESTION, [text])
    assert len(cursor) <= MAX_CURSOR_LENGTH
    assert read_cursor(cursor, QUESTION, TEXT) == (text,)


def test_the_longest_name_fits() -> None:
    for character in ("\x01", "\U0001f4a9"):
        assert len(write_cursor(QUESTION, [character * 255])) <= MAX_CURSOR_LENGTH


def test_the_order_in_which_a_question_is_put_does_not_matter() -> None:
    cursor = write_cursor(QUESTION, ["a"])
    assert read_cursor(cursor, dict(reversed(QUESTION.items())), TEXT) == ("a",)


@pytest.mark.parametrize("changed", [{"project_key": "other"}, {"list": "x"}, {"since": None}, {"agent_id": "a"}])
def test_a_cursor_of_another_question_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(CursorError, match="another list"):
        read_cursor(write_cursor(QUESTION, ["a"]), QUESTION | changed, TEXT)


@given(text=st.text(max_size=80))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorError):
        read_cursor(text, QUESTION, TEXT)


def test_a_place_of_other_types_is_refused() -> None:
    with pytest.raises(CursorError, match="not a cursor"):
        read_cursor(write_cursor(QUESTION, ["a"]), QUESTION, PLACE)
