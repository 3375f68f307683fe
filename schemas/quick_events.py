"""Read events several times faster than `codec.decode_event`, where that can be done without deciding anything anew.

msgspec reads a narrow form of each event: the one our producers write. What it takes is a part of what `decode_event`
takes, and comes out equal; whatever else it meets goes to `decode_event`, which takes it or says why not. So the event
model stays the one truth. Of the base install's programs nobody needs this; msgspec comes with the extra `server`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from re import compile as pattern_of
from typing import Annotated, Any, Literal, TypeAlias, TypeVar
from uuid import UUID

import msgspec
import orjson
from msgspec.structs import asdict
from pydantic import BaseModel

from runledger.schemas import run_events
from runledger.schemas.codec import decode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.usage import TokenUsage
from runledger.schemas.values import (
    COST_LIMIT,
    MAX_ERROR,
    MAX_EVENT_BYTES,
    MAX_INTEGER,
    MAX_SUMMARY,
    MAX_TRACES,
    check_json,
    quantize_usd,
)

__all__ = ["read_event"]

_ESCAPE, _UNICODE_ESCAPE = b"\\", b"\\u"
"""Only behind the second can a NUL or half a surrogate pair hide: such bytes are not for us. The first
is found faster."""

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
_Cost: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,20})?\Z")] | int | float
_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Summary: TypeAlias = Annotated[str, msgspec.Meta(max_length=MAX_SUMMARY)]
_Error: TypeAlias = Annotated[str, msgspec.Meta(max_length=MAX_ERROR)]
_Ticket: TypeAlias = Annotated[str, msgspec.Meta(max_length=64)]
_Time: TypeAlias = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z\Z"),
]
_EventId: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Json: TypeAlias = dict[str, Any]
_Traces: TypeAlias = Annotated[list[_Json], msgspec.Meta(max_length=MAX_TRACES)]
_is_project = lru_cache(4096)(pattern_of(r"[a-z0-9_-]{1,64}").fullmatch)


_Model = TypeVar("_Model", bound=BaseModel)
# Frozen models refuse plain assignment; the slots' own setters are what pydantic uses underneath.
_set_fields = vars(BaseModel)["__dict__"].__set__
_set_names = vars(BaseModel)["__pydantic_fields_set__"].__set__
_set_extra = vars(BaseModel)["__pydantic_extra__"].__set__
_set_private = vars(BaseModel)["__pydantic_private__"].__set__


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """Fields in the order of the model's: a record comes out with the same fields in the same order."""


class _Usage(_Strict):
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


class _Started(_Strict):
    summary: _Summary | None = None
    meta: _Json = {}
    parent_run_id: UUID | None = None
    task_id: _Name | None = None


class _Reported(_Strict):
    token_usage: _Usage
    traces: _Traces = []


class _Ended(_Strict):
    status: run_events.EndStatus
    summary: _Summary | None = None
    meta: _Json = {}
    token_usage: _Usage | None = None
    traces: _Traces = []


class _Failed(_Strict):
    summary: _Summary
    task_id: _Name | None = None
    error: _Error | None = None
    context: _Json = {}
    meta: _Json = {}
    detached: bool = False


class _Recorded(_Strict):
    summary: _Summary
    ticket: _Ticket | None = None
    meta: _Json = {}


class _Logged(_Strict):
    status: run_events.LogStatus
    actions_taken: _Json = {}


class _Alive(_Strict):
    pass


_WIRE = {
    "event_id": "id",
    "project_key": "projectkey",
    "run_id": "subject",
    "occurred_at": "time",
    "agent_id": "agentid",
}


class _Event(_Strict, kw_only=True, tag_field="type", rename=_WIRE):
    specversion: Literal["1.0"] = "1.0"
    source: _Name = "runledger"
    datacontenttype: Literal["application/json"] = "application/json"
    event_id: _EventId
    project_key: str
    run_id: UUID
    occurred_at: _Time
    agent_id: _Name | None = None


class _RunStarted(_Event, kw_only=True, tag="runledger.run.started.v1"):
    data: _Started


class _UsageReported(_Event, kw_only=True, tag="runledger.usage.reported.v1"):
    data: _Reported


class _RunEnded(_Event, kw_only=True, tag="runledger.run.ended.v1"):
    data: _Ended


class _FailureRecorded(_Event, kw_only=True, tag="runledger.failure.recorded.v1"):
    data: _Failed


class _RunRecorded(_Event, kw_only=True, tag="runledger.run.recorded.v1"):
    agent_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    data: _Recorded


class _RunLogged(_Event, kw_only=True, tag="runledger.run.logged.v1"):
    agent_id: _Name
    data: _Logged


class _RunHeartbeat(_Event, kw_only=True, tag="runledger.run.heartbeat.v1"):
    data: _Alive


_Narrow: TypeAlias = (
    _RunStarted | _UsageReported | _RunEnded | _FailureRecorded | _RunRecorded | _RunLogged | _RunHeartbeat
)
_read_narrow = msgspec.json.Decoder(_Narrow).decode


@dataclass(frozen=True, slots=True)
class _Form:
    """What a narrow event becomes."""

    event: type[AnyRunEvent]
    data: type[BaseModel]
    type: str
    names: set[str]
    data_names: set[str]
    free: tuple[str, ...]
    """Fields of its data that hold JSON of any shape."""


def _form(event: type[AnyRunEvent], data: type[BaseModel], *free: str) -> _Form:
    fields = event.model_fields
    return _Form(event, data, fields["type"].default, set(fields), set(data.model_fields), free)


_USAGE_NAMES = set(TokenUsage.model_fields)
_FORMS: dict[type[_Event], _Form] = {
    _RunStarted: _form(run_events.RunStarted, run_events.StartedData, "meta"),
    _UsageReported: _form(run_events.UsageReported, run_events.UsageData, "traces"),
    _RunEnded: _form(run_events.RunEnded, run_events.EndedData, "meta", "traces"),
    _FailureRecorded: _form(run_events.FailureRecorded, run_events.FailureData, "context", "meta"),
    _RunRecorded: _form(run_events.RunRecorded, run_events.RecordedData, "meta"),
    _RunLogged: _form(run_events.RunLogged, run_events.LoggedData, "actions_taken"),
    _RunHeartbeat: _form(run_events.RunHeartbeat, run_events.HeartbeatData),
}


def read_event(value: bytes | None, key: bytes | None = None) -> AnyRunEvent:
    """Read one event from run-events, as `codec.decode_event` does; only the model's `model_fields_set` names more.

    Raises:
        DecodeError: the bytes are not a valid event, or stand under another run's key.
    """
    event = None if value is None else read_narrow(value, key)
    return decode_event(value, key) if event is None else event


def read_narrow(value: bytes, key: bytes | None) -> AnyRunEvent | None:
    """Read an event in its narrow form; None where it is not in it, whether it is valid or not."""
    if len(value) > MAX_EVENT_BYTES or (_ESCAPE in value and _UNICODE_ESCAPE in value):
        return None
    try:
        event = _read_narrow(value)
        if not _is_plain(event) or (key is not None and key != run_key(event.project_key, event.run_id)):
            return None
        return _widen(event, value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _is_plain(event: _Event) -> bool:
    """Whether the texts are as they come out: nothing is stripped off them, or refused."""
    event_id, agent_id = event.event_id, event.agent_id
    return (
        _is_project(event.project_key) is not None
        and event_id.isascii()
        and event_id.isprintable()
        and " " not in event_id
        and (agent_id is None or agent_id == agent_id.strip())
    )


def _widen(event: _Narrow, value: bytes) -> AnyRunEvent:
    """Make the model's event of a narrow one.

    Raises:
        ValueError: something in it is not as the model wants it.
    """
    form = _FORMS[event.__class__]
    fields, data = asdict(event), asdict(event.data)
    for name in form.free:
        if data[name]:
            data[name] = _free(value, name)
    usage = data.get("token_usage")
    if usage is not None:
        data["token_usage"] = _usage(usage)
    fields["occurred_at"] = datetime.fromisoformat(event.occurred_at)
    del fields["data"]  # the type stands before it
    fields["type"] = form.type
    fields["data"] = _make(form.data, form.data_names, data)
    return _make(form.event, form.names, fields)


def _free(value: bytes, name: str) -> object:
    """Take JSON of any shape as orjson reads it, and check it as the model does."""
    found = orjson.loads(value)["data"][name]
    return check_json(found) if isinstance(found, dict) else [check_json(item) for item in found]


def _usage(usage: _Usage) -> TokenUsage:
    fields = asdict(usage)
    if usage.cost_usd is not None:
        fields["cost_usd"] = _cost(usage.cost_usd)
    return _make(TokenUsage, _USAGE_NAMES, fields)


def _cost(stated: str | float) -> Decimal:
    if isinstance(stated, str):
        cost_usd = Decimal(stated)
        return cost_usd if stated[-11:-10] == "." else quantize_usd(cost_usd)  # ten places already, as we write them
    if not 0 <= stated < COST_LIMIT:
        raise ValueError("not a cost")
    return quantize_usd(Decimal(str(stated)))


def _make(model: type[_Model], names: set[str], fields: dict[str, Any]) -> _Model:
    """Make a record of values that are known to be valid; `model_construct` takes ten times as long."""
    made = object.__new__(model)
    _set_fields(made, fields)
    _set_names(made, names)  # one set for all of a model's records, which are frozen
    _set_extra(made, None)
    _set_private(made, None)
    return made
