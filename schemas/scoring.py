"""Scoring: the request and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from runledger.schemas.outcomes import Baseline, RunOutcome

DEFAULT_RUBRIC = "heuristic.v1"
"""The rubric every logged run is scored by."""


@dataclass(frozen=True, slots=True)
class ScoringJob:
    """Score one logged run by one rubric. Sent at least once: workers and the sink tell repeats by `job_id`."""

    job_id: UUID
    """uuid5 of row id and rubric."""
    rubric: str
    outcome: RunOutcome
    baseline: Baseline
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class RunScored:
    """The scores of one run, each in 0…1."""

    job_id: UUID
    row_id: UUID
    project_key: str
    run_id: UUID
    agent_id: str
    rubric: str
    scorer: str
    """Name and version of what scored it."""
    dimensions: dict[str, Annotated[float, Field(ge=0, le=1)]]
    overall: Annotated[float, Field(ge=0, le=1)]
    scored_at: datetime
    schema_version: int = 1
