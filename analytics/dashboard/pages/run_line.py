"""One run as a list shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runledger.analytics.run_list import ListedRun


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the list.

    Args:
        run: as it was read.
        took: from start to end, or so far; None where that is unknown.
        says: what came of it, else what it meant to do; None where it says neither.
        remarks: what is out of the ordinary, in a word or two each.
    """

    run: ListedRun
    took: timedelta | None
    says: str | None
    remarks: list[str]


def line_of(run: ListedRun, now: datetime) -> RunLine:
    """Choose what a list shows of a run.

    Args:
        run: as it was read.
        now: what durations so far end at.
    """
    remarks = []
    if run.silent:
        remarks.append("silent")
    if run.timed_out:
        remarks.append("gave no sign of life")
    if run.failure_count:
        remarks.append(f"{run.failure_count:,} {'failure' if run.failure_count == 1 else 'failures'}")
    if run.late_events:
        remarks.append("late events")
    says = first_said(run.action_summary, run.end_summary, run.summary)
    return RunLine(run, length_of(run.started_at, run.ended_at, now), says, remarks)


def first_said(*said: str | None) -> str | None:
    """Choose the first that says something; None where none does."""
    return next((words for words in said if words and words.strip()), None)


def length_of(started_at: datetime | None, ended_at: datetime | None, now: datetime) -> timedelta | None:
    """Say how long a run took, or has taken; None where its start is unknown, or clocks contradict."""
    if started_at is None:
        return None
    length = (ended_at or now) - started_at
    return length if length >= timedelta(0) else None
