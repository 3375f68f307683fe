"""The events of a run's life, as CloudEvents 1.0 (structured JSON): attributes around, payload in `data`.

Field names here are ours (`event_id`, `occurred_at`, …); the wire uses CloudEvents' (`id`, `time`, `subject`) and, for
what CloudEvents does not know, the extension attributes `projectkey` and `agentid`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from runledger.schemas.usage import TokenUsage
from runledger.schemas.values import (
    AgentId,
    AgentName,
    ErrorText,
    EventId,
    JsonObject,
    Name,
    ProjectKey,
    Summary,
    Ticket,
    Timestamp,
    Traces,
)

EndStatus: TypeAlias = Literal["completed", "failed", "interrupted"]
LogStatus: TypeAlias = Literal["success", "partial", "failed"]
Fingerprint: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class StartedData(_Payload):
    """What a run means to do (Run Tools, `core_start_run`)."""

    summary: Summary | None = None
    meta: JsonObject = Field(default_factory=dict)
    parent_run_id: UUID | None = None
    task_id: Name | None = None


class UsageData(_Payload):
    """One increment of token usage (Run Tools, `core_report_usage`)."""

    token_usage: TokenUsage
    traces: Traces = Field(default_factory=list)


class EndedData(_Payload):
    """How a run ended (Run Tools, `core_end_run`); `token_usage` is the run's final, absolute usage."""

    status: EndStatus
    summary: Summary | None = None
    meta: JsonObject = Field(default_factory=dict)
    token_usage: TokenUsage | None = None
    traces: Traces = Field(default_factory=list)


class FailureData(_Payload):
    """A failure (Run Tools, `core_record_failure`).

    `detached` says that no run was named: the event's run_id is then only a key, and no run comes of it.
    """

    summary: Summary
    task_id: Name | None = None
    error: ErrorText | None = None
    context: JsonObject = Field(default_factory=dict)
    meta: JsonObject = Field(default_factory=dict)
    detached: bool = False


class RecordedData(_Payload):
    """A whole run in one call (Run Tools, `record_run`)."""

    summary: Summary
    ticket: Ticket | None = None
    meta: JsonObject = Field(default_factory=dict)


class LoggedData(_Payload):
    """An agent run log (Agent Run Log, request body)."""

    status: LogStatus
    actions_taken: JsonObject = Field(default_factory=dict)


class HeartbeatData(_Payload):
    """Nothing but a sign of life."""


class TimedOutData(_Payload):
    """The processor's own verdict on a run that fell silent; void if the run has moved past `last_version`."""

    last_version: int = Field(ge=1)


class ResolvedData(_Payload):
    """The word of an operator, or of an agent, that a kind of failure is resolved.

    `by` names the person or program that says so; an agent is named by the event's agent_id.
    """

    fingerprint: Fingerprint
    note: Summary | None = None
    by: Name | None = None


class ErasedData(_Payload):
    """An operator's order to erase the run."""

    reason: Summary | None = None


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)

    specversion: Literal["1.0"] = "1.0"
    source: Annotated[str, Field(min_length=1, max_length=255)] = "runledger"
    datacontenttype: Literal["application/json"] = "application/json"
    event_id: EventId = Field(alias="id")
    project_key: ProjectKey = Field(alias="projectkey")
    run_id: UUID = Field(alias="subject")
    occurred_at: Timestamp = Field(alias="time")


class _AgentEvent(_Event):
    agent_id: AgentId = Field(alias="agentid")


class _MaybeAgentEvent(_Event):
    agent_id: AgentId | None = Field(default=None, alias="agentid")


class RunStarted(_MaybeAgentEvent):
    """A run began; who runs it may be said later (Run Tools, `core_start_run`, requires the project alone)."""

    type: Literal["runledger.run.started.v1"] = "runledger.run.started.v1"
    data: StartedData = Field(default_factory=StartedData)


class UsageReported(_MaybeAgentEvent):
    """A run used tokens; reports add up."""

    type: Literal["runledger.usage.reported.v1"] = "runledger.usage.reported.v1"
    data: UsageData


class RunEnded(_MaybeAgentEvent):
    """A run ended."""

    type: Literal["runledger.run.ended.v1"] = "runledger.run.ended.v1"
    data: EndedData


class FailureRecorded(_MaybeAgentEvent):
    """Something failed within a run; the run itself goes on."""

    type: Literal["runledger.failure.recorded.v1"] = "runledger.failure.recorded.v1"
    data: FailureData


class RunRecorded(_Event):
    """A whole run in one event, for audit; its `agent` is at most 128 characters long."""

    agent_id: AgentName = Field(alias="agentid")
    type: Literal["runledger.run.recorded.v1"] = "runledger.run.recorded.v1"
    data: RecordedData


class RunLogged(_AgentEvent):
    """An agent finished one cycle and says what it did."""

    type: Literal["runledger.run.logged.v1"] = "runledger.run.logged.v1"
    data: LoggedData


class RunHeartbeat(_MaybeAgentEvent):
    """A long run is still alive."""

    type: Literal["runledger.run.heartbeat.v1"] = "runledger.run.heartbeat.v1"
    data: HeartbeatData = Field(default_factory=HeartbeatData)


class RunTimedOut(_MaybeAgentEvent):
    """The processor gave up on a run; goes through the log like any other event."""

    type: Literal["runledger.run.timed_out.v1"] = "runledger.run.timed_out.v1"
    data: TimedOutData


class FailureResolved(_MaybeAgentEvent):
    """A kind of failure is resolved; run_id is only a key."""

    type: Literal["runledger.failure.resolved.v1"] = "runledger.failure.resolved.v1"
    data: ResolvedData


class RunErased(_MaybeAgentEvent):
    """A run is to be erased from memory, snapshots and tables."""

    type: Literal["runledger.run.erased.v1"] = "runledger.run.erased.v1"
    data: ErasedData = Field(default_factory=ErasedData)


AnyRunEvent: TypeAlias = (
    RunStarted
    | UsageReported
    | RunEnded
    | FailureRecorded
    | RunRecorded
    | RunLogged
    | RunHeartbeat
    | RunTimedOut
    | FailureResolved
    | RunErased
)
RunEvent: TypeAlias = Annotated[AnyRunEvent, Field(discriminator="type")]
