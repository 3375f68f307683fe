"""What a scorer is and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from runledger.schemas.scoring import ScoringJob


@dataclass(frozen=True, slots=True)
class Scores:
    """One run's scores: named dimensions and the overall, each in 0…1.

    Raises:
        ValueError: a score lies outside 0…1, or there is no dimension.
    """

    dimensions: Mapping[str, float]
    overall: float

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise ValueError("a scorer must name at least one dimension")
        for name, score in {**self.dimensions, "overall": self.overall}.items():
            if not 0 <= score <= 1:  # NaN fails this too
                raise ValueError(f"{name} must lie in 0…1")


class Scorer(Protocol):
    """Judge runs by one rubric. What it raises is a warning: the job is tried again, and dead-lettered at last."""

    @property
    def name(self) -> str:
        """Name and version, written beside every score."""

    @property
    def rubric(self) -> str:
        """The rubric this scorer answers for."""

    def score(self, job: ScoringJob) -> Scores:
        """Judge one run; called from one thread, job after job."""
