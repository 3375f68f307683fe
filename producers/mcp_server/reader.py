"""What the reading tools need of whoever can read the tables; the front door brings it along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

CostGrouping: TypeAlias = Literal["agent", "day", "model"]


class FoundRun(Protocol):
    """One run: attributes as `results.RunFacts` and `results.RunWords` name them."""

    @property
    def run(self) -> object:
        """The run itself."""

    @property
    def failures(self) -> Sequence[object]:
        """The newest failures: attributes as in `results.FailureFacts` and `results.FailureWords`."""


class FoundCosts(Protocol):
    """Costs: attributes as `results.CostFacts` and `results.CostWords` name them."""

    @property
    def total(self) -> object:
        """All runs together."""

    @property
    def groups(self) -> Sequence[object]:
        """The groups, dearest first."""

    @property
    def more_groups(self) -> bool:
        """Whether there are more groups than these."""


class Reader(Protocol):
    """Answers about one project. Every method raises ConnectionError where the tables cannot be read just now."""

    async def get_run(self, project_key: str, run_id: UUID) -> FoundRun | None:
        """Read one run; None if this project has none of that id."""

    async def recent_failures(self, project_key: str, fingerprint: str | None, limit: int) -> Sequence[object]:
        """Read kinds of failures, the latest first: attributes as in `results.GroupFacts` and `results.GroupWords`."""

    async def run_costs(
        self, project_key: str, since: datetime, group_by: CostGrouping | None, limit: int
    ) -> FoundCosts:
        """Add up what runs cost."""
