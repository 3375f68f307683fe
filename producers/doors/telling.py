"""Make the event of a door's call.

Every function takes (principal, parameters, event_id): on whose behalf, what, and the event's id if the call may be
repeated (None makes a new one). Every one may raise ForbiddenError: the principal may not emit, or the parameters name
another project, which is logged.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from runledger.access.errors import ForbiddenError
from runledger.access.keys import Principal, Scope
from runledger.producers.building import one_event_run
from runledger.producers.doors.parameters import (
    EndRun,
    Heartbeat,
    LogRun,
    Parameters,
    RecordFailure,
    RecordRun,
    ReportUsage,
    ResolveFailure,
    StartRun,
    UsageParameters,
)
from runledger.schemas.identifiers import new_event_id, resolution_run_id
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    FailureData,
    FailureRecorded,
    FailureResolved,
    HeartbeatData,
    LoggedData,
    RecordedData,
    ResolvedData,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage

_LOG = structlog.get_logger()


class ResultIds(NamedTuple):
    """What a caller is told."""

    run_id: UUID | None
    """None where no run is meant: a failure of none."""
    event_id: str


class Told(NamedTuple):
    """An event to emit, and the ids to answer with."""

    event: AnyRunEvent
    ids: ResultIds


def start_run(principal: Principal, parameters: StartRun, event_id: str | None = None) -> Told:
    """Begin a run; its id is the given one, else follows from the event id."""
    data = StartedData.model_construct(
        summary=parameters.summary,
        meta=parameters.meta_json,
        parent_run_id=parameters.parent_run_id,
        task_id=parameters.task_id,
    )
    common = _common(principal, parameters, event_id, parameters.run_id, parameters.agent_id)
    return _told(RunStarted(**common, data=data))


def report_usage(principal: Principal, parameters: ReportUsage, event_id: str | None = None) -> Told:
    """Add usage to a run."""
    data = UsageData.model_construct(token_usage=_usage(parameters.token_usage), traces=parameters.traces)
    common = _common(principal, parameters, event_id, parameters.run_id, parameters.agent_id)
    return _told(UsageReported(**common, data=data))


def heartbeat(principal: Principal, parameters: Heartbeat, event_id: str | None = None) -> Told:
    """Show that a run is alive."""
    common = _common(principal, parameters, event_id, parameters.run_id, parameters.agent_id)
    return _told(RunHeartbeat(**common, data=HeartbeatData()))


def end_run(principal: Principal, parameters: EndRun, event_id: str | None = None) -> Told:
    """End a run."""
    data = EndedData.model_construct(
        status=parameters.status,
        summary=parameters.summary,
        meta=parameters.meta_json,
        token_usage=None if parameters.token_usage is None else _usage(parameters.token_usage),
        traces=parameters.traces,
    )
    common = _common(principal, parameters, event_id, parameters.run_id, parameters.agent_id)
    return _told(RunEnded(**common, data=data))


def record_failure(principal: Principal, parameters: RecordFailure, event_id: str | None = None) -> Told:
    """Record a failure; without a run it stands for itself."""
    data = FailureData.model_construct(
        summary=parameters.summary,
        task_id=parameters.task_id,
        error=parameters.error,
        context=parameters.context,
        meta=parameters.meta,
        detached=parameters.run_id is None,
    )
    common = _common(principal, parameters, event_id, parameters.run_id, parameters.agent_id)
    told = _told(FailureRecorded(**common, data=data))
    return Told(told.event, ResultIds(parameters.run_id, told.event.event_id))


def resolve_failure(principal: Principal, parameters: ResolveFailure, event_id: str | None = None) -> Told:
    """Say that a kind of failure is resolved; needs the scope `admin`."""
    data = ResolvedData.model_construct(fingerprint=parameters.fingerprint, note=parameters.note, by=parameters.by)
    key = resolution_run_id(principal.project_key, parameters.fingerprint)
    told = _told(
        FailureResolved(**_common(principal, parameters, event_id, key, parameters.agent_id, "admin"), data=data)
    )
    return Told(told.event, ResultIds(None, told.event.event_id))


def record_run(principal: Principal, parameters: RecordRun, event_id: str | None = None) -> Told:
    """Record a whole run."""
    data = RecordedData.model_construct(summary=parameters.summary, ticket=parameters.ticket, meta=parameters.meta_json)
    return _told(RunRecorded(**_common(principal, parameters, event_id, None, parameters.agent), data=data))


def log_run(principal: Principal, parameters: LogRun, event_id: str | None = None) -> Told:
    """Log one cycle of an agent."""
    data = LoggedData.model_construct(status=parameters.status, actions_taken=parameters.actions_taken)
    return _told(RunLogged(**_common(principal, parameters, event_id, None, parameters.agent_id), data=data))


def require_emit(principal: Principal, project_key: str | None, scope: Scope = "emit") -> None:
    """Make sure that the principal may emit to the project that a payload names; log a refusal.

    Raises:
        ForbiddenError: it may not.
    """
    try:
        principal.require(scope, project_key)
    except ForbiddenError:
        _LOG.warning(
            "emit_refused",
            project_key=principal.project_key,
            key_id=str(principal.key_id),
            named_project_key=None if project_key is None else project_key[:64],
        )
        raise


def _common(
    principal: Principal,
    parameters: Parameters,
    event_id: str | None,
    run_id: UUID | None,
    agent_id: str | None,
    scope: Scope = "emit",
) -> dict[str, Any]:
    # The data beside it is constructed, not validated: the parameters were, by the same types, and walking a large
    # object twice would double the cost of a call.
    require_emit(principal, parameters.project_key, scope)
    return {
        "event_id": new_event_id() if event_id is None else event_id,
        "project_key": principal.project_key,
        "run_id": one_event_run(principal.project_key, run_id, event_id),
        "agent_id": agent_id,
        "occurred_at": datetime.now(UTC),
    }


def _usage(parameters: UsageParameters) -> TokenUsage:
    return TokenUsage.model_construct(**dict(parameters))


def _told(event: AnyRunEvent) -> Told:
    return Told(event, ResultIds(event.run_id, event.event_id))
