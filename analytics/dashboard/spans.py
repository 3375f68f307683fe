"""Make spans of a run's steps: when each began and ended, and which one began it. Anybody may have written them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from runledger.analytics.run_steps import Step

SpanState: TypeAlias = Literal["ok", "error", "unknown"]
_STATES: dict[str, SpanState] = {"ok": "ok", "success": "ok", "unset": "ok", "error": "error", "failed": "error"}
_LONGEST_MS = 1e13
"""About 300 years: beyond that no datetime is reached."""


@dataclass(frozen=True, slots=True)
class Span:
    """One step in time.

    Args:
        place: among the run's steps, from 0.
        span_id: its own; None where it tells none.
        parent_id: of the step that began it.
        name: for people; never empty.
        state: whether it failed.
        starts_at: when it began; when it was told of, where it does not say.
        ends_at: when it ended, not before `starts_at`; None where it does not say.
        is_timed: it says itself when it was.
    """

    place: int
    span_id: str | None
    parent_id: str | None
    name: str
    state: SpanState
    starts_at: datetime
    ends_at: datetime | None
    is_timed: bool


def spans_of(steps: Iterable[Step]) -> list[Span]:
    """Read the spans of steps, in their order."""
    return [_span(place, step) for place, step in enumerate(steps)]


def _span(place: int, step: Step) -> Span:
    starts_at, ends_at = _moment(step.started_at), _moment(step.ended_at)
    length = _length(step.duration_ms)
    is_timed = starts_at is not None or ends_at is not None or length is not None
    if starts_at is None:
        # A step is told of when it ends, unless it says otherwise.
        ended_at = ends_at or step.occurred_at
        starts_at = _moved(ended_at, -length) if length is not None else ended_at
        ends_at = ended_at if is_timed else None
    elif length is not None:
        ends_at = _moved(starts_at, length)
    if ends_at is not None:
        ends_at = max(starts_at, ends_at)
    state = _STATES.get((step.status or "").strip().lower(), "unknown")
    return Span(place, step.span_id, step.parent_span_id, _name(step), state, starts_at, ends_at, is_timed)


def _name(step: Step) -> str:
    for name in (step.name, step.tool, step.model, step.kind):
        if name is not None and name.strip():
            return name
    return f"step {step.number}"


def _moment(written: str | None) -> datetime | None:
    """Read an ISO time; one without an offset is in UTC, like every time of ours."""
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _length(milliseconds: str | None) -> timedelta | None:
    try:
        length = float(milliseconds or "")
    except ValueError:
        return None
    return timedelta(milliseconds=length) if math.isfinite(length) and 0 <= length < _LONGEST_MS else None


def _moved(moment: datetime, length: timedelta) -> datetime:
    try:
        return moment + length
    except OverflowError:
        return moment
