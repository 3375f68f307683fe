"""Runs written by hand: one JSON object a line, one run a line (docs/importing.md shows the format)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from runledger.producers.building import build
from runledger.producers.errors import InvalidEventError
from runledger.producers.importers.imported import ImportedRun, event_id_from
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    FailureData,
    FailureRecorded,
    HeartbeatData,
    LoggedData,
    RecordedData,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.values import AgentId, EventId, ProjectKey, Timestamp

FORMAT: Final = "script.v1"
"""A line's `format`, by which it is recognised."""

_PAYLOADS: dict[str, tuple[type[AnyRunEvent], type[BaseModel]]] = {
    "started": (RunStarted, StartedData),
    "usage": (UsageReported, UsageData),
    "failure": (FailureRecorded, FailureData),
    "heartbeat": (RunHeartbeat, HeartbeatData),
    "ended": (RunEnded, EndedData),
    "recorded": (RunRecorded, RecordedData),
    "logged": (RunLogged, LoggedData),
}
_ENDS = (RunEnded, RunRecorded, RunLogged)


class _Moment(BaseModel):
    """What every event has; its other fields are the payload."""

    model_config = ConfigDict(extra="allow")

    type: Literal["started", "usage", "failure", "heartbeat", "ended", "recorded", "logged"]
    at: Timestamp
    event_id: EventId | None = None


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["script.v1"]
    run_id: UUID
    agent_id: AgentId | None = None
    project_key: ProjectKey = "default"
    note: str | None = None
    """What the run is there for; only people read it."""
    events: list[dict[str, Any]] = Field(min_length=1)


def read_run(line: Mapping[str, Any]) -> ImportedRun:
    """Make a run's events, in the order they are written in.

    Raises:
        pydantic.ValidationError: the line is not of this format.
        InvalidEventError: an event would break the event model, or has a field it does not know.
    """
    run = _Line.model_validate(line)
    events = tuple(_event(run, index, content) for index, content in enumerate(run.events))
    ends = [event.occurred_at for event in events if isinstance(event, _ENDS)]
    return ImportedRun(min(ends) if ends else max(event.occurred_at for event in events), events)


def _event(run: _Line, index: int, content: dict[str, Any]) -> AnyRunEvent:
    moment = _Moment.model_validate(content)
    payload = moment.model_extra or {}
    event_type, payload_type = _PAYLOADS[moment.type]
    if unknown := sorted(payload.keys() - payload_type.model_fields.keys()):
        raise InvalidEventError(f"events.{index}.{unknown[0]}", f"is no field of a {moment.type} event")
    return build(
        event_type,
        payload,
        project=run.project_key,
        run_id=run.run_id,
        agent=run.agent_id,
        event_id=moment.event_id or event_id_from(run.run_id, moment.type, content),
        occurred_at=moment.at,
    )
