"""What costs, failures and incidents are answered with. Null is unknown, never zero."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from runledger.analytics.http.answers import Answer, PageAnswer
from runledger.analytics.http.values import At, Usd
from runledger.analytics.readings import FailureState


class CostFacts(Answer):
    """What runs used and cost. Sums cover what is known; the counts say how many runs that is."""

    runs: int
    runs_with_cost: int = Field(description="Runs whose cost is known; cost_usd is theirs alone.")
    runs_cost_estimated: int = Field(description="Those among them whose cost was estimated.")
    runs_cost_mixed: int = Field(description="Those among them whose cost was estimated, or is unknown, in part.")
    cost_usd: Usd | None = Field(description="US dollars, as decimal text.")
    runs_with_tokens: int = Field(description="Runs whose total_tokens are known.")
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    llm_calls: int | None


class CostGroup(CostFacts):
    """The runs of one agent, day or set of models; null in the others' fields."""

    agent_id: str | None
    day: date | None = Field(description="Day in the zone asked for.")
    models: list[str] | None = Field(description="All models a run used; runs with several are a group of their own.")


class CostsAnswer(Answer):
    """Costs in all, and by group, dearest first."""

    since: At
    until: At | None
    time_zone: str
    total: CostFacts
    groups: list[CostGroup]
    more_groups: bool = Field(description="There are more groups than are listed; the total counts them all.")


class FailureGroupAnswer(Answer):
    """One kind of failure, whichever agents met it."""

    fingerprint: str
    state: FailureState = Field(
        description="open: never resolved; resolved: nothing failed so since; regressed: it did."
    )
    failure_count: int
    first_seen_at: At
    last_seen_at: At
    agents: list[str] = Field(description="Agents that met it lately, at most 20.")
    summary: str = Field(description="Of the newest failure, like the four fields below.")
    error: str | None = Field(description="At most the first 2000 characters.")
    error_characters: int | None
    run_id: UUID | None
    task_id: str | None
    resolved_at: At | None = Field(description="Time of the resolution in force: the latest one.")
    resolved_by_run_id: UUID | None = Field(
        description="Run that completed a task that had failed so; null where somebody said that it is resolved."
    )
    resolved_by_event_id: str | None = Field(description="Event by which somebody said so.")
    resolved_by_agent_id: str | None = Field(description="Agent of that run, or who said so.")
    resolved_by_summary: str | None = Field(description="What that run says came of it.")
    resolved_by: str | None = Field(description="Person or program who said so.")
    resolution_note: str | None = Field(description="What they said.")
    regressed_at: At | None = Field(description="The first failure after the resolution in force.")


class FailuresAnswer(PageAnswer):
    """One page of kinds of failures, the latest first."""

    failures: list[FailureGroupAnswer]


class IncidentAnswer(Answer):
    """A streak that reached its threshold."""

    incident_id: UUID
    agent_id: str
    kind: str = Field(description="silent or failing.")
    state: str = Field(description="open or recovered.")
    threshold: int = Field(description="Length of the streak that opened it.")
    run_id: UUID = Field(description="Run that opened it.")
    opened_at: At = Field(description="When that run ended.")
    recovered_at: At | None
    recovered_run_id: UUID | None = Field(description="Run that ended the streak.")


class IncidentsAnswer(PageAnswer):
    """One page of incidents, the newest first."""

    incidents: list[IncidentAnswer]
