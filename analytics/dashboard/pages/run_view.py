"""What a run's own page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runledger.analytics.dashboard.pages.run_events import EventView
from runledger.analytics.dashboard.pages.run_line import RunLine
from runledger.analytics.dashboard.pages.run_usage import UsageView
from runledger.analytics.dashboard.pages.run_waterfall import WaterfallView
from runledger.analytics.dashboard.rendering import link
from runledger.analytics.dashboard.words import plain
from runledger.analytics.readings import FailureReading, LogReading, RunReading
from runledger.analytics.run_account import FailureKindReading, RunAccount

KINDS = {
    "lifecycle": "started and ended by its agent",
    "record": "recorded whole, in one call",
    "log": "told by an agent run log",
}


@dataclass(frozen=True, slots=True)
class FailuresOfKind:
    """What the run met of one kind of failure, and its history in the project."""

    fingerprint: str
    history: FailureKindReading | None
    """None where it is not among the run's latest kinds."""
    failures: list[FailureReading]
    """The run's newest."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of a score, 0 to 1."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class ScoreView:
    """How good a run was, by whose judgement."""

    overall: float
    dimensions: list[Dimension]
    rubric: str | None
    scorer: str | None
    scored_at: datetime | None


@dataclass(frozen=True, slots=True)
class TimelineView:
    """A page of the run's events."""

    events: list[EventView]
    newest_first: bool
    is_first_page: bool
    next_cursor: str | None
    counted: int
    """Events of the run that counted."""

    @property
    def order(self) -> str:
        """The order, as it stands in an address."""
        return "newest" if self.newest_first else "oldest"


@dataclass(frozen=True, slots=True)
class RunView:
    """A run's own page.

    Args:
        run: as the ledger has it.
        log: its row in the run log; None before its end.
        title: what it was about, in its own words; None where it says nothing.
        said: what came of it, in its own words; None where it says nothing.
        took: from start to end, or so far; None where that is unknown.
        kind: how it was reported, in words.
        notices: what must be known of it, in sentences.
        actions: what it says it did, as JSON; None where that is nothing or too much to show.
        parent_known: the page of the run that started it can be shown.
        children: the runs that it started, those heard of last first.
        child_count: how many there are, as far as they were counted.
    """

    run: RunReading
    log: LogReading | None
    title: str | None
    said: str | None
    took: timedelta | None
    kind: str
    notices: list[str]
    actions: str | None
    parent_known: bool
    children: list[RunLine]
    child_count: int
    usage: UsageView
    failures: list[FailuresOfKind]
    score: ScoreView | None
    waterfall: WaterfallView | None
    timeline: TimelineView

    def address(self, **asked: str | int | None) -> str:
        """Write the address of another part of the page."""
        return link("/runs", self.run.run_id, **asked)

    @property
    def shown_failures(self) -> int:
        """How many of the run's failures stand on the page."""
        return sum(len(kind.failures) for kind in self.failures)


def notices_of(account: RunAccount) -> list[str]:
    """Say what is out of the ordinary with a run."""
    run, usage = account.found.run, account.usage
    told = []
    if usage.inferred:
        told.append("Nothing was heard of it until its deadline, so Runledger took it for interrupted, and for failed.")
    elif run.timed_out:
        told.append("It had been given up for lack of any sign of life; its end came later, and holds.")
    if run.silent and not usage.inferred:
        told.append("It shows nothing for itself: no actions, no summary, no steps. The ledger calls that silent.")
    if run.end_conflict:
        told.append("It was ended twice, with different statuses. The earlier end holds.")
    if run.late_events:
        told.append("Events came after it had left the processors' memory; no total holds them.")
    if usage.clock_clamped:
        told.append("The agent's clock ran more than five minutes ahead; log time stands in place of such times.")
    if account.found.log is not None and account.found.log.late:
        told.append("It came too late to be placed in its agent's streaks.")
    if account.found.log is not None and account.found.log.revision > 1:
        told.append(f"Its outcome was corrected: this is revision {account.found.log.revision}.")
    return told


def failures_of(failures: Sequence[FailureReading], kinds: Sequence[FailureKindReading]) -> list[FailuresOfKind]:
    """Put a run's failures by kind, in the order of the kinds."""
    histories = {kind.fingerprint: kind for kind in kinds}
    prints = dict.fromkeys([*histories, *(failure.fingerprint for failure in failures)])
    return [
        FailuresOfKind(
            fingerprint,
            histories.get(fingerprint),
            [failure for failure in failures if failure.fingerprint == fingerprint],
        )
        for fingerprint in prints
    ]


def score_of(run: RunReading, log: LogReading | None) -> ScoreView | None:
    """Show a run's score; None before there is one."""
    if run.score is None:
        return None
    told = (log.rlhf_scores if log is not None else None) or {}
    dimensions = [Dimension(plain(name, 80), value) for name, value in (run.score_dimensions or {}).items()]
    return ScoreView(run.score, dimensions, _said(told.get("rubric")), _said(told.get("scorer")), _moment(told))


def _said(value: object) -> str | None:
    return plain(value, 80) if isinstance(value, str) and value else None


def _moment(told: dict[str, object]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(told.get("scored_at")))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
