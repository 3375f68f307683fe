"""The events of a run as the ledger folds them: the event model's fields, and nothing else on them.

A pydantic model takes 3 µs to make even when nothing is validated, a Struct comes ready from msgspec's parser. They are
not validated when made: `quick_events` reads them, or `lean` makes one of an event of the model. Limits stand in the
annotations for the reader's sake.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from pydantic import BaseModel

from runledger.schemas import run_events, usage
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.values import MAX_ERROR, MAX_INTEGER, MAX_SUMMARY, MAX_TRACES

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Summary: TypeAlias = Annotated[str, msgspec.Meta(max_length=MAX_SUMMARY)]
_Json: TypeAlias = dict[str, Any]
_Traces: TypeAlias = Annotated[list[_Json], msgspec.Meta(max_length=MAX_TRACES)]

if TYPE_CHECKING:
    _Time: TypeAlias = datetime
    _Cost: TypeAlias = Decimal
else:  # on the wire; msgspec's own times and costs are wider than the model's, so the reader makes them of these
    _Time = str
    _Cost = str | int | float


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Fields in the order of the model's, but for an event's `data`.

    They hold no cycles, so the collector need not know them. msgspec writes a payload as the model does: None is left
    out, `{}` is not. (What a function of ours makes is no default to it.)
    """


def _no_json() -> _Json:
    return {}


def _no_traces() -> list[_Json]:
    return []


def _no() -> bool:
    return False


class TokenUsage(_Strict, frozen=True):
    """Usage of one report, or the final usage of a run."""

    input_tokens: _Count | None = None
    output_tokens: _Count | None = None
    total_tokens: _Count | None = None
    cost_usd: _Cost | None = None
    model: _Name | None = None
    llm_calls: _Count | None = None
    prompt_preview: _Summary | None = None
    cache_read_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None
    reasoning_tokens: _Count | None = None


class StartedData(_Strict, frozen=True):
    """What a run means to do."""

    summary: _Summary | None = None
    meta: _Json = msgspec.field(default_factory=_no_json)
    parent_run_id: UUID | None = None
    task_id: _Name | None = None


class UsageData(_Strict, frozen=True):
    """One increment of token usage."""

    token_usage: TokenUsage
    traces: _Traces = msgspec.field(default_factory=_no_traces)


class EndedData(_Strict, frozen=True):
    """How a run ended."""

    status: run_events.EndStatus
    summary: _Summary | None = None
    meta: _Json = msgspec.field(default_factory=_no_json)
    token_usage: TokenUsage | None = None
    traces: _Traces = msgspec.field(default_factory=_no_traces)


class FailureData(_Strict, frozen=True):
    """A failure."""

    summary: _Summary
    task_id: _Name | None = None
    error: Annotated[str, msgspec.Meta(max_length=MAX_ERROR)] | None = None
    context: _Json = msgspec.field(default_factory=_no_json)
    meta: _Json = msgspec.field(default_factory=_no_json)
    detached: bool = msgspec.field(default_factory=_no)


class RecordedData(_Strict, frozen=True):
    """A whole run in one call."""

    summary: _Summary
    ticket: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    meta: _Json = msgspec.field(default_factory=_no_json)


class LoggedData(_Strict, frozen=True):
    """An agent run log."""

    status: run_events.LogStatus
    actions_taken: _Json = msgspec.field(default_factory=_no_json)


class HeartbeatData(_Strict, frozen=True):
    """Nothing but a sign of life."""


class TimedOutData(_Strict, frozen=True):
    """The processor's own verdict on a run."""

    last_version: int


class ResolvedData(_Strict, frozen=True):
    """The word that a kind of failure is resolved."""

    fingerprint: str
    note: _Summary | None = None
    by: _Name | None = None


class ErasedData(_Strict, frozen=True):
    """An operator's order to erase the run."""

    reason: _Summary | None = None


_WIRE = {
    "event_id": "id",
    "project_key": "projectkey",
    "run_id": "subject",
    "occurred_at": "time",
    "agent_id": "agentid",
}


class _Event(_Strict, frozen=True, kw_only=True, tag_field="type", rename=_WIRE):
    specversion: Literal["1.0"] = "1.0"
    source: _Name = "runledger"
    datacontenttype: Literal["application/json"] = "application/json"
    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    project_key: Annotated[str, msgspec.Meta(max_length=64)]
    run_id: UUID
    occurred_at: _Time
    agent_id: _Name | None = None


class RunStarted(_Event, frozen=True, tag="runledger.run.started.v1"):
    """A run began."""

    data: StartedData


class UsageReported(_Event, frozen=True, tag="runledger.usage.reported.v1"):
    """A run used tokens; reports add up."""

    data: UsageData


class RunEnded(_Event, frozen=True, tag="runledger.run.ended.v1"):
    """A run ended."""

    data: EndedData


class FailureRecorded(_Event, frozen=True, tag="runledger.failure.recorded.v1"):
    """Something failed within a run."""

    data: FailureData


class RunRecorded(_Event, frozen=True, kw_only=True, tag="runledger.run.recorded.v1"):
    """A whole run in one event."""

    agent_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    data: RecordedData


class RunLogged(_Event, frozen=True, kw_only=True, tag="runledger.run.logged.v1"):
    """An agent finished one cycle."""

    agent_id: _Name
    data: LoggedData


class RunHeartbeat(_Event, frozen=True, tag="runledger.run.heartbeat.v1"):
    """A long run is still alive."""

    data: HeartbeatData


class RunTimedOut(_Event, frozen=True, tag="runledger.run.timed_out.v1"):
    """The processor gave up on a run."""

    data: TimedOutData


class FailureResolved(_Event, frozen=True, tag="runledger.failure.resolved.v1"):
    """A kind of failure is resolved."""

    data: ResolvedData


class RunErased(_Event, frozen=True, tag="runledger.run.erased.v1"):
    """A run is to be erased."""

    data: ErasedData


Told: TypeAlias = RunStarted | UsageReported | RunEnded | FailureRecorded | RunRecorded | RunLogged | RunHeartbeat
"""What agents tell of their runs."""
LeanEvent: TypeAlias = Told | RunTimedOut | FailureResolved | RunErased
AnyTokenUsage: TypeAlias = TokenUsage | usage.TokenUsage

LEAN: dict[type[BaseModel], type[_Strict]] = {
    usage.TokenUsage: TokenUsage,
    run_events.StartedData: StartedData,
    run_events.UsageData: UsageData,
    run_events.EndedData: EndedData,
    run_events.FailureData: FailureData,
    run_events.RecordedData: RecordedData,
    run_events.LoggedData: LoggedData,
    run_events.HeartbeatData: HeartbeatData,
    run_events.TimedOutData: TimedOutData,
    run_events.ResolvedData: ResolvedData,
    run_events.ErasedData: ErasedData,
    run_events.RunStarted: RunStarted,
    run_events.UsageReported: UsageReported,
    run_events.RunEnded: RunEnded,
    run_events.FailureRecorded: FailureRecorded,
    run_events.RunRecorded: RunRecorded,
    run_events.RunLogged: RunLogged,
    run_events.RunHeartbeat: RunHeartbeat,
    run_events.RunTimedOut: RunTimedOut,
    run_events.FailureResolved: FailureResolved,
    run_events.RunErased: RunErased,
}
"""{class of the model: its lean form}"""


def lean(event: AnyRunEvent) -> LeanEvent:
    """Take the fields of an event of the model."""
    made: LeanEvent = _lean(event)
    return made


def _lean(record: Any) -> Any:  # noqa: ANN401  # events and all they hold
    form = LEAN.get(record.__class__)
    if form is None:
        return record
    return form(**{name: _lean(getattr(record, name)) for name in form.__struct_fields__})
