"""What may be asked of the pages of agents: what stands in the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from runledger.analytics.cost_table import Step
from runledger.analytics.http.values import CursorText
from runledger.analytics.verdicts import AgentState

AgentSort: TypeAlias = Literal[
    "state", "agent", "-agent", "-last_seen", "last_seen", "-cost", "cost", "-tokens", "tokens", "-runs", "runs"
]
"""A minus: the last, newest or largest first. What is unknown comes last, either way."""
Within: TypeAlias = Literal["7d", "30d", "90d", "5y"]
SPANS: dict[Within, tuple[str, int, Step]] = {
    "7d": ("7 days", 7, "day"),
    "30d": ("30 days", 30, "day"),
    "90d": ("90 days", 90, "day"),
    "5y": ("5 years", 60, "month"),
}
"""Values of `within`: how people say it, and how many bars of what."""
_Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255)]
MOST_PAGES = 1_000


class _Question(BaseModel):
    """Parameters of an address; what a form sends empty is not asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_empty_out(cls, given: Any) -> Any:  # noqa: ANN401  # anything may be given
        if isinstance(given, Mapping):
            return {name: value for name, value in given.items() if value not in ("", None)}
        return given


class AgentsQuestion(_Question):
    """Which agents, in which order, and which page of them."""

    state: AgentState | None = None
    q: _Words | None = None
    """Words of the id, name or role."""
    sort: AgentSort = "state"
    page: int = Field(default=1, ge=1, le=MOST_PAGES)

    def address(self, **changed: object) -> dict[str, object]:
        """Write the question as parameters of an address, the first page of it; what is not asked is left out.

        Args:
            changed: what is asked otherwise; None is not asked.
        """
        asked = {"state": self.state, "q": self.q, "sort": self.sort, **changed}
        defaults: dict[str, object] = {"sort": "state", "page": 1}
        return {name: value for name, value in asked.items() if value not in (None, "") and value != defaults.get(name)}


class AgentQuestion(_Question):
    """How much of one agent."""

    within: Within = "30d"
    cursor: CursorText | None = None
    """Of the incidents' page."""

    def address(self, **changed: str | None) -> dict[str, str]:
        """Write the question as parameters of an address, without its place; what is as usual is left out.

        Args:
            changed: what is asked otherwise.
        """
        asked = {"within": self.within, **changed}
        return {
            name: value for name, value in asked.items() if value is not None and (name, value) != ("within", "30d")
        }
