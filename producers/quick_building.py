"""Build events a few times faster than pydantic does, where that can be done without deciding anything anew.

Values of the very classes that the model holds, within its limits, are taken as they stand; what is made of them equals
what the model makes of them (a property test holds that). Everything else is left to the model, which takes it or says
why not. It makes a usage report in 3 µs instead of 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from re import compile as pattern_of
from typing import Any, TypeAlias, TypeVar, get_args, get_type_hints
from uuid import UUID

from pydantic import BaseModel

from runledger.schemas import run_events
from runledger.schemas.identifiers import new_event_id
from runledger.schemas.making import make
from runledger.schemas.usage import TokenUsage
from runledger.schemas.values import (
    COST_LIMIT,
    MAX_ERROR,
    MAX_INTEGER,
    MAX_SUMMARY,
    MAX_TRACES,
    check_json,
    quantize_usd,
)

_Event = TypeVar("_Event", bound=BaseModel)
_Given: TypeAlias = Any
"""What a caller gave."""
_Take: TypeAlias = Callable[[_Given], object]
"""Gives a field's value as the model would hold it, or raises ValueError: the model is to decide."""

_is_project = lru_cache(4096)(pattern_of(r"[a-z0-9_-]{1,64}").fullmatch)
_is_event_id = pattern_of(r"[\x21-\x7e]{1,128}").fullmatch
_KEYS = {str}
_COST_LIMIT = float(COST_LIMIT)
"""Exact, and compared ten times as fast."""


def _text(longest: int, shortest: int = 0) -> _Take:
    def take(value: _Given) -> object:
        if value.__class__ is not str or not shortest <= len(value) <= longest or "\x00" in value:
            raise ValueError
        if not value.isascii():
            value.encode()  # half a surrogate pair raises ValueError
        return value

    return take


def _just(kind: type, *values: object) -> _Take:
    """Take what is of a class; only these, if any are named."""

    def take(value: _Given) -> object:
        if value.__class__ is not kind or (values and value not in values):
            raise ValueError
        return value

    return take


def _count(value: _Given) -> object:
    if value.__class__ is not int or not 0 <= value <= MAX_INTEGER:
        raise ValueError
    return value


def _cost(value: _Given) -> object:
    if (value.__class__ is not float and value.__class__ is not int) or not 0 <= value < _COST_LIMIT:
        raise ValueError
    return quantize_usd(Decimal(repr(value)))


def _json(value: _Given) -> object:
    if value.__class__ is not dict or not set(map(type, value)) <= _KEYS:
        raise ValueError
    return check_json(value.copy())


def _traces(value: _Given) -> object:
    if value.__class__ is not list or len(value) > MAX_TRACES:
        raise ValueError
    return [_json(trace) for trace in value]


def _usage(value: _Given) -> object:
    if value.__class__ is not dict:
        raise ValueError
    fields = _NO_USAGE.copy()
    _fill(fields, value, _USAGE)
    return make(TokenUsage, _USAGE_NAMES, fields)


def _fill(fields: dict[str, Any], given: Mapping[str, Any], takes: Mapping[str, _Take]) -> None:
    """Put what is given in its place; a name that is none of ours raises KeyError."""
    for name, value in given.items():
        if value is not None:
            fields[name] = takes[name](value)


def _project(value: _Given) -> object:
    if value.__class__ is not str or not _is_project(value):
        raise ValueError
    return value


def _event_id(value: _Given) -> object:
    if value.__class__ is not str or not _is_event_id(value):
        raise ValueError
    return value


def _time(value: _Given) -> object:
    if value.__class__ is not datetime or value.tzinfo is not UTC:
        raise ValueError
    return value


def _agent(longest: int, *, required: bool = False) -> _Take:
    check = _text(longest, 1)

    @lru_cache(4096)
    def is_plain(agent: str) -> bool:
        return check(agent) == agent.strip()

    def take(value: _Given) -> object:
        if value is None and not required:
            return None
        if value.__class__ is not str or not is_plain(value):
            raise ValueError
        return value

    return take


_name, _summary = _text(255, 1), _text(MAX_SUMMARY)
_NO_USAGE = dict.fromkeys(TokenUsage.model_fields)
_USAGE_NAMES = set(_NO_USAGE)
_USAGE: dict[str, _Take] = dict.fromkeys(_NO_USAGE, _count) | {
    "cost_usd": _cost,
    "model": _name,
    "prompt_preview": _summary,
}
_DATA: dict[str, _Take] = {
    "summary": _summary,
    "task_id": _name,
    "parent_run_id": _just(UUID),
    "error": _text(MAX_ERROR),
    "ticket": _text(64),
    "detached": _just(bool),
    "token_usage": _usage,
    "traces": _traces,
    "meta": _json,
    "context": _json,
    "actions_taken": _json,
}
_ENDED = _DATA | {"status": _just(str, *get_args(run_events.EndStatus))}
_LOGGED = _DATA | {"status": _just(str, *get_args(run_events.LogStatus))}


@dataclass(frozen=True, slots=True)
class _Form:
    """How an event of one type is built.

    Args:
        type_name: its CloudEvents type.
        names: its fields.
        agent: takes its agent's id.
        data: its payload's model.
        data_names: the payload's fields.
        takes: {field of the payload: what takes it}.
        defaults: {field of the payload: its default}, in the model's order; None for what must be given.
        free: fields of the payload that hold JSON: each event gets a default of its own.
        required: fields of the payload that must be given.
    """

    type_name: str
    names: set[str]
    agent: _Take
    data: type[BaseModel]
    data_names: set[str]
    takes: Mapping[str, _Take]
    defaults: dict[str, Any]
    free: tuple[str, ...]
    required: tuple[str, ...]


def _form(event: type[BaseModel], agent: _Take, takes: Mapping[str, _Take] = _DATA) -> _Form:
    names = event.model_fields
    data: type[BaseModel] = get_type_hints(event)["data"]
    fields = data.model_fields
    return _Form(
        type_name=names["type"].default,
        names=set(names),
        agent=agent,
        data=data,
        data_names=set(fields),
        takes={name: takes[name] for name in fields},
        defaults={
            name: None if field.is_required() else field.get_default(call_default_factory=True)
            for name, field in fields.items()
        },
        free=tuple(name for name, field in fields.items() if field.default_factory is not None),
        required=tuple(name for name, field in fields.items() if field.is_required()),
    )


_any_agent, _an_agent, _short_agent = _agent(255), _agent(255, required=True), _agent(128, required=True)
_FORMS: dict[type[BaseModel], _Form] = {
    run_events.RunStarted: _form(run_events.RunStarted, _any_agent),
    run_events.UsageReported: _form(run_events.UsageReported, _any_agent),
    run_events.RunEnded: _form(run_events.RunEnded, _any_agent, _ENDED),
    run_events.FailureRecorded: _form(run_events.FailureRecorded, _any_agent),
    run_events.RunRecorded: _form(run_events.RunRecorded, _short_agent),
    run_events.RunLogged: _form(run_events.RunLogged, _an_agent, _LOGGED),
    run_events.RunHeartbeat: _form(run_events.RunHeartbeat, _any_agent),
}


def build_quickly(
    event_type: type[_Event],
    data: Mapping[str, Any],
    project: object,
    run_id: object,
    agent: object,
    event_id: object,
    occurred_at: object,
) -> _Event | None:
    """Make one event, as `building.build` does; None where the model is to decide."""
    form = _FORMS.get(event_type)
    if form is None or run_id.__class__ is not UUID:
        return None
    payload = form.defaults.copy()
    for name in form.free:
        payload[name] = payload[name].copy()
    try:
        _fill(payload, data, form.takes)
        for name in form.required:
            if payload[name] is None:
                return None
        fields = {
            "specversion": "1.0",
            "source": "runledger",
            "datacontenttype": "application/json",
            "event_id": new_event_id() if event_id is None else _event_id(event_id),
            "project_key": _project(project),
            "run_id": run_id,
            "occurred_at": datetime.now(UTC) if occurred_at is None else _time(occurred_at),
            "agent_id": form.agent(agent),
            "type": form.type_name,
            "data": make(form.data, form.data_names, payload),
        }
    except (KeyError, ValueError):
        return None
    return make(event_type, form.names, fields)
