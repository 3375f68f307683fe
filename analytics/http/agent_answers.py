"""What the audit, the agents and the public figures are answered with. Null is unknown, never zero."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from runledger.analytics.http.answers import Answer, PageAnswer
from runledger.analytics.http.values import At


class PipelineAnswer(Answer):
    """How far the tables have come."""

    state: str = Field(description="current, behind or unknown.")
    as_of: At | None = Field(description="All that was logged up to then is counted here; null: nobody knows.")
    lag_seconds: float | None = Field(description="How long before read_at that is.")
    read_at: At = Field(description="When this was read.")


class OpenIncidentAnswer(Answer):
    """An incident that has not recovered."""

    incident_id: UUID
    kind: str = Field(description="silent or failing.")
    threshold: int
    run_id: UUID = Field(description="Run that opened it.")
    opened_at: At


class AgentAnswer(Answer):
    """One agent, and what is wrong with it."""

    agent_id: str
    name: str | None
    role: str | None
    state: str = Field(
        description="The first of its findings; else healthy, expected (never heard, and not due yet) or retired."
    )
    findings: list[str] = Field(description="Of failing, silent, quiet, never_reported.")
    last_seen_at: At | None = Field(description="Log time of the last event it sent; null: it was never heard.")
    unheard_seconds: float | None = Field(
        description="Seconds since then during which the pipeline listened; null while that is behind."
    )
    expected_interval_seconds: int
    consecutive_silence_count: int
    silence_threshold: int
    consecutive_failure_count: int
    failure_threshold: int
    finished_runs: int
    last_status: str | None = Field(description="success, partial or failed: of the run that ended last.")
    open_incidents: list[OpenIncidentAnswer]


class AuditAnswer(Answer):
    """The agents with which something is wrong."""

    judged: bool = Field(description="Whether it was asked who is quiet: not while the pipeline is behind.")
    pipeline: PipelineAnswer
    agents: int = Field(description="Agents looked at.")
    more_agents: bool = Field(description="There are more, which were not looked at.")
    states: dict[str, int] = Field(description="Agents looked at, by state.")
    found: list[AgentAnswer]


class AgentsAnswer(PageAnswer):
    """One page of agents, by their ids."""

    judged: bool = Field(description="Whether it was asked who is quiet: not while the pipeline is behind.")
    pipeline: PipelineAnswer
    agents: list[AgentAnswer]
    more_agents: bool = Field(description="There are more than 10,000 agents; the others are in no page.")


class AgentCardAnswer(Answer):
    """An agent's newest run, as a dashboard shows it."""

    title: str = Field(description='Name and role, such as "Sage -- Backend".')
    agent_id: str
    action_summary: str | None
    status: str = Field(description="completed or failed.")
    ran_at: At
    ran_seconds_ago: float


class IntelligenceAnswer(Answer):
    """The public figures of the projects that opted in."""

    tasks_completed_today: int = Field(description="Sum of what is known of the breakdown.")
    breakdown: dict[str, int | None] = Field(description="agent_runs, and other systems' counts; null: no answer.")
    unavailable: list[str] = Field(description="Counts that did not answer, and are in no sum.")
    today_start: At
    time_zone: str
    rlhf_quality_score_7d: float | None = Field(description="Mean score, 0 to 1; null where nothing was scored.")
    rlhf_quality_sample_size: int
    scored_since: At
    agents: list[AgentCardAnswer] = Field(description="The newest first, at most 100.")
    pipeline: PipelineAnswer
