"""The parameters of each door, by the names and limits of the two source documents (Run Tools; Agent Run Log).

The value types are those of the events, so a door and the log never disagree on a limit.
"""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runledger.producers.doors.errors import InvalidParameterError
from runledger.schemas.run_events import EndStatus, Fingerprint, LogStatus
from runledger.schemas.usage import TokenUsage
from runledger.schemas.values import (
    AgentId,
    AgentName,
    ErrorText,
    JsonObject,
    Name,
    ProjectKey,
    Summary,
    Ticket,
    Traces,
)


class Parameters(BaseModel):
    """Root of all. A name that is none of ours is refused: a misspelt one would be lost without a word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project_key: ProjectKey | None = Field(default=None, description="The credential's own project, or left out.")


class UsageParameters(TokenUsage):
    """Token usage. A field left out is unknown, not zero."""

    model_config = ConfigDict(extra="forbid")


class StartRun(Parameters):
    """Begin a run (`core_start_run`)."""

    agent_id: AgentId | None = Field(default=None, description="The agent that runs.")
    run_id: UUID | None = Field(default=None, description="Id of the run; made here if left out.")
    summary: Summary | None = Field(default=None, description="What the run means to do.")
    meta_json: JsonObject = Field(default_factory=dict, description="Anything else.")
    parent_run_id: UUID | None = Field(default=None, description="The run that started this one.")
    task_id: Name | None = Field(default=None, description="The task it works on.")


class ReportUsage(Parameters):
    """Add token usage to a run (`core_report_usage`); reports add up."""

    run_id: UUID = Field(description="The run.")
    token_usage: UsageParameters = Field(description="What was used since the last report.")
    traces: Traces = Field(default_factory=list, description="One entry per call.")
    agent_id: AgentId | None = Field(default=None, description="The agent that runs.")


class Heartbeat(Parameters):
    """Show that a long run is alive."""

    run_id: UUID = Field(description="The run.")
    agent_id: AgentId | None = Field(default=None, description="The agent that runs.")


class EndRun(Parameters):
    """End a run (`core_end_run`)."""

    run_id: UUID = Field(description="The run.")
    status: EndStatus = Field(description="How it ended.")
    summary: Summary | None = Field(default=None, description="What came of it.")
    meta_json: JsonObject = Field(default_factory=dict, description="Anything else.")
    token_usage: UsageParameters | None = Field(
        default=None, description="The run's total usage: it replaces the sum of the reports, field by field."
    )
    traces: Traces = Field(default_factory=list, description="One entry per call.")
    agent_id: AgentId | None = Field(default=None, description="The agent that ran.")


class RecordFailure(Parameters):
    """Record a failure (`core_record_failure`), of a run or of none; a run goes on."""

    summary: Summary = Field(description="What failed, in short.")
    run_id: UUID | None = Field(default=None, description="The run in which it happened.")
    agent_id: AgentId | None = Field(default=None, description="The agent that failed.")
    task_id: Name | None = Field(default=None, description="The task it worked on.")
    error: ErrorText | None = Field(default=None, description="The whole message or stack trace.")
    context: JsonObject = Field(default_factory=dict, description="The circumstances.")
    meta: JsonObject = Field(default_factory=dict, description="Anything else.")


class ResolveFailure(Parameters):
    """Say that a kind of failure is resolved."""

    fingerprint: Fingerprint = Field(description="The kind, in full: 64 hexadecimal digits.")
    note: Summary | None = Field(default=None, description="How it was resolved: who meets it again will read this.")
    by: Name | None = Field(default=None, description="Who says so: a person or a program.")
    agent_id: AgentId | None = Field(default=None, description="The agent that says so, if one does.")


class RecordRun(Parameters):
    """Record a whole run in one call (`record_run`)."""

    agent: AgentName = Field(description="Who did it.")
    summary: Summary = Field(description="What was done.")
    ticket: Ticket | None = Field(default=None, description="Id of the ticket.")
    meta_json: JsonObject = Field(default_factory=dict, description="Anything else.")


class LogRun(Parameters):
    """Log what an agent did in one cycle (Agent Run Log). That document forbids no further names: they are ignored."""

    model_config = ConfigDict(extra="ignore")

    agent_id: AgentId = Field(description="Who; trimmed, and not empty after that.")
    status: LogStatus = Field(description="How it went.")
    actions_taken: JsonObject = Field(default_factory=dict, description="What was done; `summary` is shown.")


_Parameters = TypeVar("_Parameters", bound=BaseModel)


def read_parameters(kind: type[_Parameters], document: object, whole: str = "body") -> _Parameters:
    """Validate what a caller sent.

    Args:
        kind: one of the models of this module.
        document: parsed JSON.
        whole: what to call the document itself in an error.

    Raises:
        InvalidParameterError: naming the first offending parameter.
    """
    if not isinstance(document, dict):
        raise InvalidParameterError(whole, "must be a JSON object")
    named: dict[str, Any] = document
    try:
        return kind.model_validate(named)
    except ValidationError as error:
        raise InvalidParameterError.from_validation(error, whole) from error
