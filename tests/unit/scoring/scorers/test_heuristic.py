from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas.outcomes import Baseline
from runledger.schemas.usage import UsageTotals
from runledger.scoring.scorers import HeuristicScorer
from runledger.scoring.scorers.heuristic import WEIGHTS
from tests.unit.scoring.jobs import job

SCORER = HeuristicScorer()


def dimension(name: str, baseline: Baseline | None = None, **changes: Any) -> float:  # noqa: ANN401  # any value
    return SCORER.score(job(baseline, **changes)).dimensions[name]


def test_the_weights_make_a_whole() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_a_plain_success_without_history() -> None:
    scores = SCORER.score(job())
    assert scores.dimensions == {"outcome": 1.0, "output": 0.75, "errors": 1.0, "efficiency": 0.5}
    assert scores.overall == pytest.approx(0.5 + 0.2 * 0.75 + 0.2 + 0.1 * 0.5)


@pytest.mark.parametrize(("status", "score"), [("success", 1.0), ("partial", 0.5), ("failed", 0.0)])
def test_outcome_is_the_status(status: str, score: float) -> None:
    assert dimension("outcome", status=status) == score


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({"silent": True, "actions_taken": {}, "action_summary": None}, 0.0),
        ({"actions_taken": {"no_work": ""}, "action_summary": None}, 0.5),
        ({"actions_taken": {"summary": "x"}, "action_summary": "x"}, 0.75),
        ({"actions_taken": {"rows": 0}, "action_summary": None}, 0.75),
        ({"actions_taken": {"summary": "x", "files": [{"a": " "}], "n": None}, "action_summary": "x"}, 0.75),
        ({"actions_taken": {"summary": "x", "summary_is": "error"}, "action_summary": "x"}, 0.75),
        ({"actions_taken": {"summary": "x", "files": ["a.py"]}, "action_summary": "x"}, 1.0),
        ({"actions_taken": {"summary": "x"}, "action_summary": "x", "traces": 2}, 1.0),
    ],
)
def test_output_grows_with_what_is_shown(changes: dict[str, Any], score: float) -> None:
    assert dimension("output", **changes) == score


@pytest.mark.parametrize(("failures", "score"), [(0, 1.0), (1, 0.5), (3, 0.25), (2, 0.3333)])
def test_errors_falls_with_every_recorded_failure(failures: int, score: float) -> None:
    assert dimension("errors", failures=failures) == score


@pytest.mark.parametrize(
    ("baseline", "score"),
    [
        (Baseline(0), 0.5),
        (Baseline(3, mean_total_tokens=1000.0, mean_duration_seconds=600.0), 0.5),
        (Baseline(3, mean_total_tokens=3000.0), 0.75),
        (Baseline(3, mean_duration_seconds=200.0), 0.25),
        (Baseline(3, mean_total_tokens=3000.0, mean_duration_seconds=200.0), 0.5),
        (Baseline(3, mean_total_tokens=0.0), 0.5),
    ],
)
def test_efficiency_compares_with_the_agents_own_runs(baseline: Baseline, score: float) -> None:
    assert dimension("efficiency", baseline) == score


def test_efficiency_leaves_out_what_the_run_does_not_tell() -> None:
    baseline = Baseline(3, mean_total_tokens=1.0, mean_duration_seconds=1.0)
    assert dimension("efficiency", baseline, usage=UsageTotals(), started_at=None) == 0.5


@given(
    status=st.sampled_from(["success", "partial", "failed"]),
    failures=st.integers(0, 2**53),
    silent=st.booleans(),
    tokens=st.none() | st.integers(0, 2**53),
    mean_tokens=st.none() | st.floats(0, 1e18),
    mean_seconds=st.none() | st.floats(0, 1e12),
)
def test_every_score_lies_between_zero_and_one(
    status: str,
    failures: int,
    silent: bool,  # hypothesis names it
    tokens: int | None,
    mean_tokens: float | None,
    mean_seconds: float | None,
) -> None:
    scored = job(
        Baseline(4, mean_tokens, mean_seconds),
        status=status,
        failures=failures,
        silent=silent,
        usage=UsageTotals(total_tokens=tokens),
    )
    scores = SCORER.score(scored)
    assert all(0 <= score <= 1 for score in [*scores.dimensions.values(), scores.overall])
    assert SCORER.score(scored) == scores
