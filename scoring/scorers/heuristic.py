"""Judge a run by plain rules over what it says of itself; docs/scoring.md explains every formula."""

from __future__ import annotations

from typing import Any

from runledger.schemas.outcomes import Baseline, OutcomeStatus, RunOutcome
from runledger.schemas.scoring import DEFAULT_RUBRIC, ScoringJob
from runledger.schemas.values import SUMMARY_IS
from runledger.scoring.scorers.base import Scores

WEIGHTS = {"outcome": 0.5, "output": 0.2, "errors": 0.2, "efficiency": 0.1}
NEUTRAL = 0.5
"""Efficiency of a run exactly like the agent's earlier ones, and of one that cannot be compared."""
_NO_DETAILS = {"summary", SUMMARY_IS}
_PLACES = 4
_OUTCOME: dict[OutcomeStatus, float] = {"success": 1.0, "partial": 0.5, "failed": 0.0}


class HeuristicScorer:
    """Rubric heuristic.v1: outcome, output, errors and efficiency. Deterministic: the same job, the same scores."""

    name = "heuristic/1"
    rubric = DEFAULT_RUBRIC

    def score(self, job: ScoringJob) -> Scores:
        """Judge one run; the overall is the weighted mean of the dimensions."""
        outcome = job.outcome
        dimensions = {
            "outcome": _OUTCOME[outcome.status],
            "output": score_output(outcome),
            "errors": 1 / (1 + outcome.failures),
            "efficiency": score_efficiency(outcome, job.baseline),
        }
        overall = sum(WEIGHTS[name] * score for name, score in dimensions.items())
        return Scores({name: round(score, _PLACES) for name, score in dimensions.items()}, round(overall, _PLACES))


def score_output(outcome: RunOutcome) -> float:
    """Return 0 for a silent run; else a half, and a quarter more each for a summary and for details."""
    if outcome.silent:
        return 0.0
    summary = bool(outcome.action_summary and outcome.action_summary.strip())
    told = (value for name, value in outcome.actions_taken.items() if name not in _NO_DETAILS)
    details = outcome.traces > 0 or any(_says_something(value) for value in told)
    return 0.5 + 0.25 * summary + 0.25 * details


def score_efficiency(outcome: RunOutcome, baseline: Baseline) -> float:
    """Return the mean over tokens and duration of usual / (usual + this run); neutral where neither can be compared."""
    ratios = [
        ratio
        for usual, spent in (
            (baseline.mean_total_tokens, outcome.usage.total_tokens),
            (baseline.mean_duration_seconds, _duration_seconds(outcome)),
        )
        if (ratio := _share(usual, spent)) is not None
    ]
    return sum(ratios) / len(ratios) if ratios else NEUTRAL


def _share(usual: float | None, spent: float | None) -> float | None:
    """Return usual / (usual + spent): a half where they are equal, more where less was spent than usual."""
    if usual is None or spent is None or usual <= 0 or spent < 0:
        return None
    return usual / (usual + spent)


def _duration_seconds(outcome: RunOutcome) -> float | None:
    return None if outcome.started_at is None else (outcome.ended_at - outcome.started_at).total_seconds()


def _says_something(value: Any) -> bool:  # noqa: ANN401  # any JSON value
    match value:
        case dict():
            return any(_says_something(item) for item in value.values())
        case list():
            return any(_says_something(item) for item in value)
        case str():
            return bool(value.strip())
        case _:
            return value is not None
