"""The arguments of the tools: types with their limits, and words that a model understands."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from runledger.producers.doors.parameters import UsageParameters
from runledger.producers.mcp_server.reader import CostGrouping
from runledger.schemas import run_events, values

ProjectKey: TypeAlias = Annotated[
    values.ProjectKey, Field(description="Project identifier. It must be the project your credential belongs to.")
]
RunId: TypeAlias = Annotated[UUID, Field(description="Run UUID from core_start_run.")]
NewRunId: TypeAlias = Annotated[UUID, Field(description="Explicit run UUID; one is generated if left out.")]
FailedRunId: TypeAlias = Annotated[
    UUID, Field(description="Run UUID of the run that produced the failure; leave out if it belongs to no run.")
]
ParentRunId: TypeAlias = Annotated[UUID, Field(description="Run UUID of the run that started this one.")]
AgentUuid: TypeAlias = Annotated[UUID, Field(description="UUID of the executing agent.")]
FailedAgent: TypeAlias = Annotated[UUID, Field(description="UUID of the agent that failed.")]
AgentName: TypeAlias = Annotated[values.AgentName, Field(description="Agent name or identifier, 1 to 128 characters.")]
TaskId: TypeAlias = Annotated[
    UUID,
    Field(
        description="UUID of the task worked on. A failure counts as resolved once a run of the same task completes."
    ),
]
Intent: TypeAlias = Annotated[
    values.Summary, Field(description="Intent: what the run is going to do. At most 2000 characters.")
]
Result: TypeAlias = Annotated[
    values.Summary, Field(description="Human-readable outcome: what came of the run. At most 2000 characters.")
]
Deed: TypeAlias = Annotated[values.Summary, Field(description="What the agent did. At most 2000 characters.")]
FailureSummary: TypeAlias = Annotated[
    values.Summary, Field(description="Short description of the failure. At most 2000 characters.")
]
ErrorText: TypeAlias = Annotated[
    values.ErrorText, Field(description="Full error message or stack trace. At most 8000 characters.")
]
Ticket: TypeAlias = Annotated[values.Ticket, Field(description="Linked ticket ID, at most 64 characters.")]
Meta: TypeAlias = Annotated[values.JsonObject, Field(description="Arbitrary metadata: a JSON object, at most 256 KiB.")]
Context: TypeAlias = Annotated[
    values.JsonObject, Field(description="Structured context at the time of the failure: a JSON object.")
]
EndStatus: TypeAlias = Annotated[
    run_events.EndStatus,
    Field(description="completed: it did what it should. failed: it did not. interrupted: it was stopped."),
]
MoreUsage: TypeAlias = Annotated[
    UsageParameters,
    Field(description="What was used since the last report (an increment, not a running total); reports add up."),
]
FinalUsage: TypeAlias = Annotated[
    UsageParameters,
    Field(description="The run's total usage. Each field given replaces the sum of the reports; the others keep it."),
]
Traces: TypeAlias = Annotated[
    values.Traces, Field(description="Trace entries, one JSON object per model call; at most 200.")
]
EventId: TypeAlias = Annotated[
    values.EventId,
    Field(
        description="Idempotency key of this call, 1 to 128 visible ASCII characters. Calling again with the same one "
        "counts once: use it to repeat a call whose outcome is unknown."
    ),
]

KnownError: TypeAlias = Annotated[
    values.ErrorText,
    Field(
        description="The error message or stack trace to look up (or the summary of a failure that has no error). Ids, "
        "times, addresses and line numbers in it do not matter. At most 8000 characters."
    ),
]
Fingerprint: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Field(description="Fingerprint of one kind of failure, as an earlier answer gave it: 64 hexadecimal digits."),
]
GroupLimit: TypeAlias = Annotated[int, Field(ge=1, le=50, description="How many kinds of failures at most, 1 to 50.")]
Since: TypeAlias = Annotated[
    AwareDatetime,
    Field(
        description="Only runs that ended (or were last heard of) from then on: ISO 8601 with offset, such as "
        "2026-01-31T00:00:00Z. The last 30 days if left out."
    ),
]
Grouping: TypeAlias = Annotated[
    CostGrouping, Field(description="One group per agent, UTC day or set of models used; the total only if left out.")
]
