"""The days that an address asks for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from runledger.access.http.errors import HttpError
from runledger.analytics.dashboard.pages.cost_question import CostsQuestion, Span, cost_question, span_of
from runledger.analytics.errors import TimeZoneError

LATE = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


def span(time_zone: str = "UTC", **asked: object) -> Span:
    return span_of(CostsQuestion.model_validate(asked), time_zone, LATE)


def test_thirty_days_up_to_today_are_shown_unless_others_are_asked_for() -> None:
    assert (span().first, span().last) == (date(2026, 1, 31), date(2026, 3, 1))
    assert (span(days="1").first, span(days="1").last) == (date(2026, 3, 1), date(2026, 3, 1))
    assert span(to="2026-02-10").first == date(2026, 1, 12)
    assert span(**{"from": "2026-02-10"}).last == date(2026, 3, 1)


def test_today_and_days_are_those_of_the_time_zone() -> None:
    berlin = span("Europe/Berlin", days="1")
    assert berlin.last == date(2026, 3, 2)
    assert (berlin.since, berlin.until) == (
        datetime(2026, 3, 1, 23, tzinfo=UTC),
        datetime(2026, 3, 2, 23, tzinfo=UTC),
    )
    spring = span("Europe/Berlin", **{"from": "2026-03-29", "to": "2026-03-29"})
    assert (spring.until - spring.since).total_seconds() == 23 * 3600


def test_a_quarter_is_told_by_day_and_more_by_month() -> None:
    quarter = span(**{"from": "2026-01-01", "to": "2026-04-02"})
    assert (quarter.step, len(quarter.periods())) == ("day", 92)
    more = span(**{"from": "2025-12-31", "to": "2026-04-02"})
    assert more.step == "month"
    assert more.periods() == [date(2025, 12, 1), *(date(2026, month, 1) for month in range(1, 5))]
    assert more.within(date(2025, 12, 1)) == (date(2025, 12, 31), date(2025, 12, 31))
    assert more.within(date(2026, 4, 1)) == (date(2026, 4, 1), date(2026, 4, 2))
    assert quarter.within(date(2026, 2, 1)) == (date(2026, 2, 1), date(2026, 2, 1))


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "2000-01-01"},
        {"to": "0001-01-05"},
        {"to": "9999-12-31"},
    ],
    ids=str,
)
def test_days_that_are_none_are_refused_by_the_field_s_name(asked: dict[str, str]) -> None:
    with pytest.raises(HttpError) as refused:
        span(**asked)
    assert refused.value.status == 422


@pytest.mark.parametrize(
    "asked",
    [{"days": "7", "to": "2026-02-01"}, {"days": "0"}, {"group_by": "day"}, {"form": "2026-02-01"}, {"model": "\0"}],
    ids=str,
)
def test_questions_that_make_no_sense_are_refused(asked: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CostsQuestion.model_validate(asked)


def test_the_last_month_of_the_calendar_ends_like_others() -> None:
    last = span(**{"from": "9999-01-01", "to": "9999-12-30"})
    assert last.within(date(9999, 12, 1)) == (date(9999, 12, 1), date(9999, 12, 30))
    assert last.within(date(9999, 2, 1)) == (date(9999, 2, 1), date(9999, 2, 28))


def test_a_time_zone_that_there_is_not_is_refused() -> None:
    with pytest.raises(TimeZoneError):
        span("../etc/passwd")


def test_the_address_says_what_was_asked_and_nothing_else() -> None:
    asked = CostsQuestion.model_validate({"from": "2026-02-01", "to": "", "agent": "sage", "group_by": "agent"})
    assert asked.address() == {"from": "2026-02-01", "agent": "sage"}
    assert CostsQuestion.model_validate(asked.address()) == asked


def test_the_ledger_is_asked_what_the_address_asks() -> None:
    asked = CostsQuestion.model_validate({"days": 7, "group_by": "model", "model": "m", "agent": "a"})
    question = cost_question(asked, span_of(asked, "Europe/Berlin", LATE), "acme")
    assert (question.project_key, question.time_zone, question.step) == ("acme", "Europe/Berlin", "day")
    assert (question.group_by, question.model, question.agent_id) == ("model", "m", "a")
