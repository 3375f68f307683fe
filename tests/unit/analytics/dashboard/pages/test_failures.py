"""Kinds of failures: their days, their history, the word that one is resolved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from runledger.access.keys import Principal
from runledger.analytics.dashboard.pages.failure import make_history, word_of
from runledger.analytics.dashboard.pages.failure_days import NO_DAYS, LastDays, say_days
from runledger.analytics.dashboard.pages.failures import FailuresQuestion
from runledger.analytics.failure_story import FailureDays, Occurrence, Resolution
from runledger.analytics.paging import Page

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADMIN = Principal("acme", frozenset({"admin"}), UUID(int=0xABCDEF << 104))
KIND = "a" * 64


def failure(minute: int) -> Occurrence:
    at = NOON + timedelta(minutes=minute)
    return Occurrence(f"e{minute}", UUID(int=1), at, "a", None, "no", None, None, detached=False, run_status="failed")


def resolution(minute: int) -> Resolution:
    return Resolution(NOON + timedelta(minutes=minute), "word", f"w{minute}", None, None, None, "ops", None)


def told(page: Page[Occurrence], resolutions: list[Resolution], until: int | None = None) -> list[str | None]:
    moments = make_history(page, resolutions, None if until is None else NOON + timedelta(minutes=until))
    return [found.event_id for one in moments if (found := one.failure or one.resolution) is not None]


def test_days_are_those_of_the_time_zone_and_end_with_today() -> None:
    days = LastDays(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "Europe/Berlin", 3)
    assert days.days == [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)]
    assert days.since == datetime(2026, 2, 27, 23, tzinfo=UTC)


def test_days_that_were_not_counted_in_full_are_unknown() -> None:
    days = LastDays(NOON, "UTC", 4)
    found = FailureDays({date(2026, 2, 28): 3, date(2026, 3, 2): 7}, datetime(2026, 2, 28, 5, tzinfo=UTC))
    assert days.counts(found) == [None, None, 0, 7]
    assert say_days(days.counts(found)) == "Last 4 days: more than 7 failures, 7 today"
    assert say_days(days.counts(FailureDays({date(2026, 3, 1): 1}))) == "Last 4 days: 1 failure, 0 today"
    assert days.counts(NO_DAYS) == [0, 0, 0, 0]


def test_a_kind_that_happens_too_often_to_be_counted_has_no_day_of_zero() -> None:
    days = LastDays(NOON, "UTC", 4)
    counts = days.counts(FailureDays({date(2026, 3, 2): 5000}, NOON))
    assert counts == [None] * 4
    assert say_days(counts) == "5,000 failures or more today: too many to count by day."


def test_resolutions_stand_between_the_failures_and_on_one_page_only() -> None:
    resolutions = [resolution(minute) for minute in (50, 30, 25, 10, 1)]
    first = Page([failure(40), failure(30)], "more")
    second = Page([failure(20), failure(10)], None)
    assert told(first, resolutions) == ["w50", "e40", "w30", "e30"]
    assert told(second, resolutions, until=30) == ["w25", "e20", "w10", "e10", "w1"]
    assert told(Page([], None), resolutions[:1]) == ["w50"]


def test_the_same_form_sent_twice_is_one_word_and_anything_else_another() -> None:
    form = {"note": " raised the pool ", "by": "", "seen": "x"}
    word = word_of(ADMIN, KIND, form, "session")
    assert (word.fingerprint, word.note, word.by) == (KIND, "raised the pool", "dashboard, key abcdef00")
    assert word_of(ADMIN, KIND, dict(form), "session") == word
    others = [
        word_of(ADMIN, "b" * 64, form, "session"),
        word_of(ADMIN, KIND, {**form, "seen": "y"}, "session"),
        word_of(ADMIN, KIND, {**form, "by": "Zoë"}, "session"),
        word_of(ADMIN, KIND, form, "another"),
        word_of(Principal("acme", frozenset({"admin"})), KIND, {}, "session"),
    ]
    assert len({word.event_id, *(other.event_id for other in others)}) == 6
    assert [other.by for other in others[2:5]] == ["Zoë", "dashboard, key abcdef00", "dashboard"]
    assert others[4].note is None


def test_a_note_has_the_line_ends_that_were_typed() -> None:
    assert word_of(ADMIN, KIND, {"note": "one\r\ntwo\r\n"}, "session").note == "one\ntwo"


def test_what_a_form_sends_empty_is_not_asked() -> None:
    asked = FailuresQuestion.model_validate({"state": "", "text": "  pool ", "within": "7d", "cursor": ""})
    assert asked.address() == {"text": "pool", "within": "7d"}
    assert asked.seen_since(NOON) == NOON - timedelta(days=7)
    assert FailuresQuestion.model_validate({"since": "2026-03-01T00:00"}).seen_since(NOON) == datetime(
        2026, 3, 1, tzinfo=UTC
    )
    with pytest.raises(ValidationError):
        FailuresQuestion.model_validate({"state": "closed"})
