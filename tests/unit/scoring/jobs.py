"""Jobs for tests of scoring."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from runledger.schemas.identifiers import job_id, row_id
from runledger.schemas.outcomes import Baseline, RunOutcome
from runledger.schemas.scoring import DEFAULT_RUBRIC, ScoringJob
from runledger.schemas.usage import UsageTotals

_RUN_ID = UUID(int=1)
_PLAIN = RunOutcome(
    project_key="default",
    agent_id="sage",
    run_id=_RUN_ID,
    row_id=row_id("default", _RUN_ID),
    revision=1,
    kind="lifecycle",
    status="success",
    run_status="completed",
    inferred=False,
    silent=False,
    started_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    ended_at=datetime(2026, 3, 2, 9, 10, tzinfo=UTC),
    logged_at=datetime(2026, 3, 2, 9, 10, 1, tzinfo=UTC),
    actions_taken={"summary": "done"},
    action_summary="done",
    usage=UsageTotals(total_tokens=1000),
)


def job(baseline: Baseline | None = None, **changes: Any) -> ScoringJob:  # noqa: ANN401  # fields of RunOutcome
    """The job of a successful ten-minute run of 1,000 tokens that says "done", with changes."""
    outcome = replace(_PLAIN, **changes)
    return ScoringJob(job_id(outcome.row_id, DEFAULT_RUBRIC), DEFAULT_RUBRIC, outcome, baseline or Baseline(0))
