"""What may be asked, as models of query parameters; any other parameter is refused by name."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from runledger.analytics.http.values import AgentName, CursorText, TaskName, ZoneName
from runledger.analytics.readings import CostGrouping, FailureState
from runledger.analytics.run_list import RunSort
from runledger.analytics.verdicts import AgentState
from runledger.schemas.outcomes import IncidentKind, OutcomeStatus
from runledger.schemas.values import Timestamp

MAX_LIMIT = 200
MAX_GROUPS = 1000


class Question(BaseModel):
    """A question without parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuestion(Question):
    """A question for a page of a list."""

    limit: int = Field(default=50, ge=1, le=MAX_LIMIT, description="At most so many.")
    cursor: CursorText | None = Field(
        default=None, description="`next_cursor` of the page before; the other parameters stay as they were."
    )


class RunsQuestion(PageQuestion):
    """Which runs, and in which order."""

    agent_id: AgentName | None = Field(default=None, description="Runs of this agent.")
    status: Literal["running", "completed", "failed", "interrupted"] | None = Field(
        default=None, description="Runs of this status."
    )
    outcome: OutcomeStatus | None = Field(default=None, description="Finished runs of this outcome.")
    kind: Literal["lifecycle", "record", "log"] | None = Field(default=None, description="Runs reported this way.")
    task_id: TaskName | None = Field(default=None, description="Runs that were started with this task.")
    parent_run_id: UUID | None = Field(default=None, description="Runs that this one started.")
    since: Timestamp | None = Field(default=None, description="Runs whose agent was heard then or later.")
    until: Timestamp | None = Field(default=None, description="Runs whose agent was last heard before.")
    silent: bool | None = Field(default=None, description="Finished runs without meaningful output, or with some.")
    sort: RunSort = Field(
        default="-heard_at", description="A minus: newest or largest first. What is unknown comes last, either way."
    )


class CostsQuestion(Question):
    """What to add up."""

    group_by: CostGrouping | None = Field(default=None, description="One group per agent, day or set of models.")
    since: Timestamp | None = Field(default=None, description="Runs since then; 30 days ago if left out.")
    until: Timestamp | None = Field(default=None, description="Runs before then.")
    time_zone: ZoneName = Field(default="UTC", description="Zone in which days begin, by its IANA name.")
    limit: int = Field(default=100, ge=1, le=MAX_GROUPS, description="At most so many groups, the dearest.")


class AgentsQuestion(PageQuestion):
    """Which agents."""

    state: AgentState | None = Field(default=None, description="Agents in this state.")


class IncidentsQuestion(PageQuestion):
    """Which incidents."""

    agent_id: AgentName | None = Field(default=None, description="Incidents of this agent.")
    kind: IncidentKind | None = Field(default=None, description="Incidents of this kind.")
    state: Literal["open", "recovered"] | None = Field(default=None, description="Incidents in this state.")
    since: Timestamp | None = Field(default=None, description="Opened then or later.")
    until: Timestamp | None = Field(default=None, description="Opened before.")


class FailuresQuestion(PageQuestion):
    """Which kinds of failures."""

    state: FailureState | None = Field(default=None, description="Kinds in this state.")
    since: Timestamp | None = Field(default=None, description="Kinds seen then or later.")


class IntelligenceQuestion(Question):
    """Whose today."""

    time_zone: ZoneName | None = Field(
        default=None, description="Zone in which today begins, by its IANA name; the service's own if left out."
    )
