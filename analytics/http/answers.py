"""What the lists of runs, and one run, are answered with. Null is unknown, never zero."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from runledger.access.http.answers import documented
from runledger.analytics.http.values import At, Usd

READING = documented(
    {
        401: "No valid API key.",
        403: "The key lacks the scope read.",
        404: "The key's project has no such thing.",
        422: "A parameter is unknown or breaks a rule; the answer names it.",
        503: "The tables or the keys do not answer in time. Ask again.",
    }
)
"""What any route that reads a project may answer."""
_CURSOR = "Parameter `cursor` of the next page; null after the last row."


class Answer(BaseModel):
    """Made of what a reader returns."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class PageAnswer(Answer):
    """One page of a list."""

    next_cursor: str | None = Field(description=_CURSOR)


class RunFacts(Answer):
    """A run as the ledger has it."""

    run_id: UUID
    kind: str = Field(description="lifecycle (started and ended), record (told in one call) or log (agent run log).")
    status: str = Field(description="running, completed, failed or interrupted.")
    outcome: str | None = Field(description="success, partial or failed; null while it runs.")
    agent_id: str | None
    parent_run_id: UUID | None
    task_id: str | None
    summary: str | None = Field(description="What it meant to do.")
    end_summary: str | None = Field(description="What came of it.")
    started_at: At | None = Field(description="The agent's own time.")
    ended_at: At | None = Field(description="The agent's own time.")
    heard_at: At = Field(description="Log time of the last event that the agent sent.")
    logged_at: At | None = Field(description="Log time of its first end; null while it is not in the run log.")
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    llm_calls: int | None
    cost_usd: Usd | None = Field(description="US dollars, as decimal text.")
    cost_source: str = Field(description="reported, estimated, mixed or unknown.")
    models: list[str]
    failure_count: int
    trace_count: int
    timed_out: bool = Field(description="It was given up for lack of any sign of life.")
    late_events: bool = Field(description="Events came too late to be counted.")
    silent: bool | None = Field(description="It shows no meaningful output.")
    consecutive_silence_count: int | None = Field(description="Silent runs of its agent in a row, up to this one.")
    consecutive_failure_count: int | None = Field(description="Failed runs of its agent in a row, up to this one.")
    score: float | None = Field(description="Quality, 0 to 1; null until scored.")


class RunsAnswer(PageAnswer):
    """One page of runs."""

    runs: list[RunFacts]


class FailureAnswer(Answer):
    """One failure of a run."""

    event_id: str
    fingerprint: str = Field(description="Kind of failure; see /failures.")
    occurred_at: At
    agent_id: str | None
    task_id: str | None
    summary: str
    error: str | None


class LogAnswer(Answer):
    """The run's row in the agent run log."""

    id: UUID
    run_at: At = Field(description="Log time of the run's first end.")
    created_at: At | None = Field(description="When the row was inserted.")
    status: str = Field(description="success, partial or failed.")
    action_summary: str | None
    revision: int = Field(description="How often its outcome was told; higher than 1 after a correction.")
    inferred: bool = Field(description="Its end was inferred by a timeout.")
    late: bool = Field(description="It came too late to be placed in its agent's streaks.")
    rlhf_scores: dict[str, Any] | None = Field(
        description="overall, dimensions, rubric, scorer, scored_at; null until scored."
    )


class RunAnswer(RunFacts):
    """One run with all that is known of it."""

    last_occurred_at: At | None = Field(description="Newest of the agent's own times.")
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    usage_mismatch: bool = Field(description="The final usage is below the sum of the reports.")
    end_conflict: bool = Field(description="It was ended twice with different statuses; the earlier one holds.")
    actions_taken: dict[str, Any] | None = Field(
        description="What it says it did; null while it runs, or above 32 KiB."
    )
    actions_taken_bytes: int | None
    score_dimensions: dict[str, float] | None
    log: LogAnswer | None = Field(description="Null while the run is not in the run log.")
    failures: list[FailureAnswer] = Field(description="The newest 10; failure_count counts them all.")


class EventAnswer(Answer):
    """One delivery of an event; a repeat has the same event_id and was counted once."""

    log_partition: int
    log_offset: int
    logged_at: At = Field(description="Log time.")
    event_id: str
    type: str
    agent_id: str | None
    occurred_at: At = Field(description="The agent's own time, as sent.")
    source: str
    data: dict[str, Any] | None = Field(description="The payload; null above 32 KiB.")
    data_bytes: int


class EventsAnswer(PageAnswer):
    """One page of a run's events, in the order of the log."""

    events: list[EventAnswer]


class TraceAnswer(Answer):
    """One trace entry."""

    event_id: str = Field(description="The event that carries it.")
    number: int = Field(description="Its place in that event, from 1.")
    agent_id: str | None
    occurred_at: At = Field(description="The agent's own time of the event.")
    trace: dict[str, Any] | None = Field(description="The entry; null above 32 KiB.")
    trace_bytes: int


class TracesAnswer(PageAnswer):
    """One page of a run's trace entries, in the order of the agents' own times."""

    traces: list[TraceAnswer]
