"""Stage 2 recounted without the processors: each agent from the list of its outcomes, sorted and walked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from runledger.schemas.identifiers import incident_id, row_id
from runledger.schemas.outcomes import Baseline, Incident, IncidentKind, LoggedRun, RunOutcome, StreakRevised

Fields: TypeAlias = dict[str, Any]
Streaks: TypeAlias = dict[UUID, tuple[int, int]]
"""{run: (silent, failed) in a row up to and including it}, in the order the runs ended."""
KINDS: tuple[IncidentKind, ...] = ("silent", "failing")


@dataclass(frozen=True)
class Arrived:
    """An outcome, where it stood, and the thresholds in force when it was taken: (silent, failing)."""

    offset: int
    logged_at: datetime
    outcome: RunOutcome
    thresholds: tuple[int, int]


def in_order(holding: dict[UUID, RunOutcome]) -> list[RunOutcome]:
    return sorted(holding.values(), key=lambda outcome: (outcome.ended_at, outcome.run_id))


def streaks(outcomes: Sequence[RunOutcome]) -> Streaks:
    """Count all streaks from the beginning."""
    silence = failures = 0
    rows: Streaks = {}
    for outcome in outcomes:
        silence = silence + 1 if outcome.silent else 0
        if outcome.kind != "record" and outcome.status != "partial":
            failures = failures + 1 if outcome.status == "failed" else 0
        rows[outcome.run_id] = silence, failures
    return rows


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _baseline(before: Sequence[RunOutcome]) -> Baseline:
    tokens = [float(run.usage.total_tokens) for run in before if run.usage.total_tokens is not None]
    lasted = [(run.ended_at - run.started_at).total_seconds() for run in before if run.started_at is not None]
    return Baseline(len(before), _mean(tokens), _mean([seconds for seconds in lasted if seconds >= 0]))


class Agent:
    """All that is said of one agent, fewer than 32 runs.

    Args:
        arrived: its outcomes in log order.
    """

    def __init__(self, arrived: Sequence[Arrived]) -> None:
        self.holding: dict[UUID, RunOutcome] = {}
        self.rows: Streaks = {}
        self.log: list[LoggedRun | StreakRevised] = []
        self.incidents: list[Incident] = []
        self.open: dict[IncidentKind, Incident] = {}
        self.version = 0
        for one in arrived:
            if one.outcome.revision > 1 or one.outcome.run_id not in self.holding:
                self._take(one)

    def _take(self, one: Arrived) -> None:
        outcome = one.outcome
        self.holding[outcome.run_id] = outcome
        before, ordered = self.rows, in_order(self.holding)
        self.rows = streaks(ordered)
        self.version = one.offset + 1
        place = ordered.index(outcome)
        self.log.append(LoggedRun(outcome, *self.rows[outcome.run_id], late=False, baseline=_baseline(ordered[:place])))
        self.log += [
            StreakRevised(
                other.project_key,
                other.agent_id,
                other.run_id,
                row_id(other.project_key, other.run_id),
                *self.rows[other.run_id],
            )
            for other in ordered
            if other.run_id != outcome.run_id and self.rows[other.run_id] != before[other.run_id]
        ]
        for kind in list(self.open):
            self._recover(kind, outcome)
        for kind, threshold in zip(KINDS, one.thresholds, strict=True):
            self._open(kind, threshold, outcome)

    def streak(self, kind: IncidentKind) -> int:
        """Return the current streak: the one of the run that ended last."""
        return list(self.rows.values())[-1][KINDS.index(kind)]

    def _recover(self, kind: IncidentKind, outcome: RunOutcome) -> None:
        opened = self.open[kind]
        if self.streak(kind) < opened.threshold:
            del self.open[kind]
            at = max(outcome.ended_at, opened.opened_at)
            self._say(
                opened.incident_id, kind, opened.threshold, (opened.run_id, opened.opened_at), (outcome.run_id, at)
            )

    def _open(self, kind: IncidentKind, threshold: int, outcome: RunOutcome) -> None:
        if self.streak(kind) < threshold or kind in self.open:
            return
        counts = [(run, self.rows[run.run_id][KINDS.index(kind)]) for run in in_order(self.holding)]
        below = [number for number, (_, count) in enumerate(counts) if count < threshold]
        opener = counts[below[-1] + 1 if below else 0][0]
        identity = incident_id(outcome.project_key, outcome.agent_id, kind, self.version)
        self.open[kind] = self._say(identity, kind, threshold, (opener.run_id, opener.ended_at), None)

    def _say(
        self,
        identity: UUID,
        kind: IncidentKind,
        threshold: int,
        opened: tuple[UUID, datetime],
        recovered: tuple[UUID, datetime] | None,
    ) -> Incident:
        any_run = next(iter(self.holding.values()))
        incident = Incident(
            incident_id=identity,
            project_key=any_run.project_key,
            agent_id=any_run.agent_id,
            kind=kind,
            state="open" if recovered is None else "recovered",
            threshold=threshold,
            run_id=opened[0],
            opened_at=opened[1],
            version=self.version,
            recovered_run_id=None if recovered is None else recovered[0],
            recovered_at=None if recovered is None else recovered[1],
        )
        self.incidents.append(incident)
        return incident

    def health(self) -> Fields:
        """Say what the agent's state must hold."""
        ordered = in_order(self.holding)
        return {
            "version": self.version,
            "finished_runs": len(ordered),
            "last_ended_at": ordered[-1].ended_at,
            "last_status": ordered[-1].status,
            "consecutive_silence_count": self.streak("silent"),
            "consecutive_failure_count": self.streak("failing"),
            "window": [run.run_id for run in ordered],
            "incidents": {incident.incident_id for incident in self.open.values()},
        }
