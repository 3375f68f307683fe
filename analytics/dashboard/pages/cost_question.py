"""What may be asked of the costs: the span of days and the filters that stand in the address."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from runledger.access.http.errors import invalid
from runledger.analytics.cost_table import CostQuestion, Step
from runledger.analytics.days import find_zone
from runledger.analytics.http.values import AgentName

DEFAULT_DAYS = 30
MOST_BY_DAY = 92
"""More days than a quarter has are told by month."""
MOST_DAYS = 3660
SPANS = {1: "today", 7: "7 days", 30: "30 days", 90: "90 days", 365: "a year"}
"""Spans to choose from, in days up to today."""


class CostsQuestion(BaseModel):
    """Filters. What a form sends empty is not asked; days are those of the time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: date | None = Field(default=None, alias="from")
    to: date | None = None
    days: int | None = Field(default=None, ge=1, le=MOST_DAYS)
    time_zone: Annotated[str, StringConstraints(max_length=64)] | None = None
    group_by: Literal["agent", "model"] = "agent"
    agent: AgentName | None = None
    model: Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]+$")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _leave_empty_out(cls, given: Any) -> Any:  # noqa: ANN401  # anything may be given
        if isinstance(given, Mapping):
            return {name: value for name, value in given.items() if value not in ("", None)}
        return given

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> CostsQuestion:
        if self.days is not None and (self.from_ is not None or self.to is not None):
            raise PydanticCustomError("days", "give either days, or from and to")
        return self

    def address(self) -> dict[str, str]:
        """Write the question as parameters of an address; what was not asked is left out."""
        said: dict[str, str] = self.model_dump(exclude_none=True, exclude_defaults=True, mode="json", by_alias=True)
        return said


class Span:
    """The days that are asked for, the last one included.

    Args:
        asked: by the address.
        zone: in which days begin.
        today: there.

    Raises:
        HttpError: 422, they are none, too many, or outside the calendar.
    """

    def __init__(self, asked: CostsQuestion, zone: ZoneInfo, today: date) -> None:
        self.zone = zone
        self.last = today if asked.to is None else asked.to
        length = timedelta(days=(asked.days or DEFAULT_DAYS) - 1)
        try:
            self.first = self.last - length if asked.from_ is None else asked.from_
            self.since, self.until = _midnight(self.first, zone), _midnight(self.last + timedelta(days=1), zone)
        except OverflowError as error:
            raise invalid("from", "these days lie outside the calendar") from error
        if self.first > self.last:
            raise invalid("from", "must not be after to")
        if (self.last - self.first).days >= MOST_DAYS:
            raise invalid("from", "ten years at most, up to to")

    @property
    def step(self) -> Step:
        """What its periods are."""
        return "day" if (self.last - self.first).days < MOST_BY_DAY else "month"

    def periods(self) -> list[date]:
        """Its days, or the firsts of its months."""
        if self.step == "day":
            return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]
        months = range(self.first.year * 12 + self.first.month - 1, self.last.year * 12 + self.last.month)
        return [date(number // 12, number % 12 + 1, 1) for number in months]

    def within(self, period: date) -> tuple[date, date]:
        """First and last day of a period, as far as it lies in the span."""
        if self.step == "day":
            return period, period
        month_end = period.replace(day=monthrange(period.year, period.month)[1])
        return max(period, self.first), min(month_end, self.last)


def span_of(asked: CostsQuestion, time_zone: str, now: datetime) -> Span:
    """Say which days are asked for.

    Args:
        asked: by the address.
        time_zone: that of the address, else the dashboard's.
        now: decides what today is.

    Raises:
        TimeZoneError: no time zone is named so.
        HttpError: 422, these are no days.
    """
    zone = find_zone(time_zone)
    return Span(asked, zone, now.astimezone(zone).date())


def cost_question(asked: CostsQuestion, span: Span, project_key: str) -> CostQuestion:
    """Ask the ledger."""
    return CostQuestion(
        project_key=project_key,
        since=span.since,
        until=span.until,
        time_zone=span.zone.key,
        step=span.step,
        group_by=asked.group_by,
        agent_id=asked.agent,
        model=asked.model,
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
