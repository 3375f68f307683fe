"""Stage 2: fold an agent's outcomes into its streaks, in the order the runs ended, whatever order they arrive in."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Literal, TypeAlias
from uuid import UUID

from runledger.processors.evolve import evolve
from runledger.processors.incidents import review
from runledger.processors.steps import AgentStep, At
from runledger.schemas.identifiers import row_id
from runledger.schemas.outcomes import Baseline, LoggedRun, RunOutcome, StreakRevised
from runledger.schemas.snapshots import AgentHealth, WindowEntry

__all__ = ["AgentStep", "At", "StreakPolicy", "apply"]

_Effect: TypeAlias = Literal["extends", "resets", "leaves"]
_Window: TypeAlias = tuple[WindowEntry, ...]
_number_of = attrgetter("run_id.int")
"""Two numbers compare ten times faster than two UUIDs."""


@dataclass(frozen=True, slots=True)
class StreakPolicy:
    """How many runs in a row open an incident, and how far back an outcome that arrives late still counts."""

    silence_threshold: int = 3
    failure_threshold: int = 3
    window_runs: int = 32


@dataclass(slots=True)
class _Placed:
    """The window with the outcome in its place."""

    window: _Window
    index: int | None
    """Where the outcome stands; None: it ended before the window and counts no more."""
    revised: tuple[WindowEntry, ...]
    """Other runs whose streaks have changed."""


def _effect_of(outcome: RunOutcome) -> _Effect:
    """Say what an outcome does to the failing streak (docs/ledger.md)."""
    if outcome.kind == "record":
        return "leaves"
    match outcome.status:
        case "failed":
            return "extends"
        case "success":
            return "resets"
        case "partial":
            return "leaves"


def _key(entry: WindowEntry) -> tuple[datetime, UUID]:
    return entry.ended_at, entry.run_id


def _entry_of(outcome: RunOutcome) -> WindowEntry:
    seconds = None if outcome.started_at is None else (outcome.ended_at - outcome.started_at).total_seconds()
    return WindowEntry(
        run_id=outcome.run_id,
        ended_at=outcome.ended_at,
        status=outcome.status,
        effect=_effect_of(outcome),
        silent=outcome.silent,
        total_tokens=outcome.usage.total_tokens,
        duration_seconds=seconds if seconds is not None and seconds >= 0 else None,
        consecutive_silence_count=0,
        consecutive_failure_count=0,
    )


def _count(window: list[WindowEntry], start: int, silence: int, failures: int) -> list[WindowEntry]:
    """Count the streaks from `start` on, in place, and return the entries whose counts have changed."""
    changed: list[WindowEntry] = []
    for index in range(start, len(window)):
        entry = window[index]
        silence = silence + 1 if entry.silent else 0
        match entry.effect:
            case "extends":
                failures += 1
            case "resets":
                failures = 0
            case "leaves":
                pass
        if (entry.consecutive_silence_count, entry.consecutive_failure_count) != (silence, failures):
            entry = evolve(entry, consecutive_silence_count=silence, consecutive_failure_count=failures)
            window[index] = entry
            changed.append(entry)
    return changed


def _place(health: AgentHealth, entry: WindowEntry, known: int | None) -> _Placed:
    """Put an outcome into the window by its end, in place of an earlier revision at `known`."""
    window = list(health.window)
    start = len(window) if known is None else known
    del window[start : start + 1]
    key = _key(entry)
    index: int | None = None
    if health.floor is None or key > health.floor:
        index = len(window) if not window or key > _key(window[-1]) else bisect_left(window, key, key=_key)
        window.insert(index, entry)
        start = min(start, index)
    before = window[start - 1] if start else None
    silence = health.silence_before if before is None else before.consecutive_silence_count
    failures = health.failures_before if before is None else before.consecutive_failure_count
    changed = _count(window, start, silence, failures)
    return _Placed(tuple(window), index, tuple(other for other in changed if other.run_id != entry.run_id))


def _mean(values: list[int] | list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _baseline(before: _Window) -> Baseline:
    return Baseline(
        runs=len(before),
        mean_total_tokens=_mean([entry.total_tokens for entry in before if entry.total_tokens is not None]),
        mean_duration_seconds=_mean([entry.duration_seconds for entry in before if entry.duration_seconds is not None]),
    )


def _advance(health: AgentHealth, placed: _Placed, outcome: RunOutcome, at: At, window_runs: int) -> AgentHealth:
    """Take over the window, let what is too old leave it, and read the current streaks off its newest run."""
    window, silence, failures, floor = placed.window, health.silence_before, health.failures_before, health.floor
    if len(window) > window_runs:
        oldest, window = window[0], window[1:]
        silence, failures = oldest.consecutive_silence_count, oldest.consecutive_failure_count
        floor = _key(oldest)
    newest = window[-1] if window else None
    return evolve(
        health,
        version=at.offset + 1,
        last_logged_at=max(health.last_logged_at, at.logged_at),
        last_ended_at=newest.ended_at if newest is not None else health.last_ended_at,
        last_status=newest.status if newest is not None else health.last_status,
        finished_runs=health.finished_runs + (outcome.revision == 1),
        consecutive_silence_count=newest.consecutive_silence_count if newest is not None else silence,
        consecutive_failure_count=newest.consecutive_failure_count if newest is not None else failures,
        window=window,
        silence_before=silence,
        failures_before=failures,
        floor=floor,
    )


def apply(state: AgentHealth | None, outcome: RunOutcome, at: At, policy: StreakPolicy) -> AgentStep:
    """Fold one outcome into its agent's health.

    A first revision of a run that stands in the window already is old news of a run born again, and changes nothing.

    Args:
        state: the agent so far; None for its first outcome.
        outcome: of a run of this agent; a higher revision replaces the run's earlier one.
        at: where the outcome stood.
        policy: thresholds and window.
    """
    health = state or AgentHealth(outcome.project_key, outcome.agent_id, at.offset + 1, at.logged_at)
    runs = list(map(_number_of, health.window))
    known = runs.index(outcome.run_id.int) if outcome.run_id.int in runs else None
    if outcome.revision == 1 and known is not None:
        return AgentStep(health, changed=False)
    placed = _place(health, _entry_of(outcome), known)
    advanced = _advance(health, placed, outcome, at, policy.window_runs)
    incidents, said = review(
        advanced, outcome, {"silent": policy.silence_threshold, "failing": policy.failure_threshold}
    )
    if incidents != advanced.incidents:
        advanced = evolve(advanced, incidents=incidents)
    revised = tuple(_revised(health, entry) for entry in placed.revised)
    return AgentStep(advanced, (_logged(outcome, placed), *revised, *said))


def _logged(outcome: RunOutcome, placed: _Placed) -> LoggedRun:
    if placed.index is None:
        return LoggedRun(outcome, 0, 0, late=True, baseline=Baseline(runs=0))
    entry = placed.window[placed.index]
    return LoggedRun(
        outcome=outcome,
        consecutive_silence_count=entry.consecutive_silence_count,
        consecutive_failure_count=entry.consecutive_failure_count,
        late=False,
        baseline=_baseline(placed.window[: placed.index]),
    )


def _revised(health: AgentHealth, entry: WindowEntry) -> StreakRevised:
    return StreakRevised(
        project_key=health.project_key,
        agent_id=health.agent_id,
        run_id=entry.run_id,
        row_id=row_id(health.project_key, entry.run_id),
        consecutive_silence_count=entry.consecutive_silence_count,
        consecutive_failure_count=entry.consecutive_failure_count,
    )
