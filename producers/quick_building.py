"""Check what a call tells a few times faster than pydantic does, where that can be done without deciding anything anew.

Values of the very classes that the model holds, within its limits, are taken as they stand; the record made of them is
the model's (a property test holds both equal). Everything else is left to the model, which takes it or says why not. A
usage report is checked, masked and written in 5 µs; by way of the model it takes 14.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from re import compile as pattern_of
from typing import Any, NamedTuple, TypeAlias, get_args, get_type_hints
from uuid import UUID

import msgspec
from pydantic import BaseModel

from runledger.producers.masking.events import masked_fields
from runledger.producers.tellings import Telling, Usage, write
from runledger.schemas import run_events
from runledger.schemas.identifiers import new_event_id
from runledger.schemas.values import (
    COST_LIMIT,
    COST_PLACES,
    MAX_ERROR,
    MAX_INTEGER,
    MAX_SUMMARY,
    MAX_TRACES,
    MAX_VALUE_BYTES,
    check_json,
    quantize_usd,
)

_Given: TypeAlias = Any
"""What a caller gave."""
_Take: TypeAlias = Callable[[_Given], object]
"""Gives a field's value as the model would write it, or raises ValueError: the model is to decide."""

_is_project = lru_cache(4096)(pattern_of(r"[a-z0-9_-]{1,64}").fullmatch)
_is_event_id = pattern_of(r"[\x21-\x7e]{1,128}").fullmatch
_KEYS = {str}
_CONTAINERS = (dict, list, tuple)
_COST_LIMIT = float(COST_LIMIT)
"""Exact, and compared ten times as fast."""
_PLAIN_COST = 0.0001
"""Smaller ones are written with an exponent."""
_ZEROS = "0" * -int(COST_PLACES.as_tuple().exponent)
_MOST_OF_A_NUMBER = 32
_SMALL = MAX_VALUE_BYTES // 6
"""Characters that take no more than that many bytes, however they are escaped."""
_ESCAPE, _NUL = ord("\\"), rb"\u0000"
"""In JSON; where a text holds these very characters the model finds that there is nothing to refuse."""


def _text(longest: int, shortest: int = 0) -> _Take:
    def take(value: _Given) -> object:
        if value.__class__ is not str or not shortest <= len(value) <= longest:
            raise ValueError
        return value

    return take


def _just(kind: type, *values: object) -> _Take:
    """Take what is of a class; only these, if any are named."""

    def take(value: _Given) -> object:
        if value.__class__ is not kind or (values and value not in values):
            raise ValueError
        return value

    return take


def _cost(value: _Given) -> str:
    """Write a cost as `quantize_usd` rounds it; where nothing is to be rounded, zeros behind its digits do the same."""
    if (value.__class__ is not float and value.__class__ is not int) or not 0 <= value < _COST_LIMIT:
        raise ValueError
    digits = repr(value)
    places = len(digits) - 1 - digits.find(".")
    if value.__class__ is float and value >= _PLAIN_COST and places <= len(_ZEROS):
        return digits + _ZEROS[places:]
    return str(quantize_usd(Decimal(digits)))


def _json(value: _Given) -> object:
    if value.__class__ is not dict or not set(map(type, value)) <= _KEYS:
        raise ValueError
    mine = value.copy()
    return mine if _is_small(mine) else _own(check_json(value))


def _is_small(value: dict[str, Any]) -> bool:
    """Tell, in a fifth of its time, that `check_json` takes an object; what no text may hold shows when written."""
    size = 0
    for key, item in value.items():
        size += len(key) + _MOST_OF_A_NUMBER
        if item.__class__ is str:
            size += len(item)
        elif item.__class__ is float:
            if not isfinite(item):
                return False
        elif item.__class__ is int:
            if not -MAX_INTEGER <= item <= MAX_INTEGER:
                return False
        elif item is not None and item.__class__ is not bool:
            return False
    return size <= _SMALL


def _own(value: _Given) -> object:
    """Copy what may be changed: it is written now and masked later, maybe in a thread, and both must see the same."""
    if isinstance(value, dict):
        return {name: _own(item) if isinstance(item, _CONTAINERS) else item for name, item in value.items()}
    return [_own(item) if isinstance(item, _CONTAINERS) else item for item in value]


def _traces(value: _Given) -> object:
    if value.__class__ is not list or len(value) > MAX_TRACES:
        raise ValueError
    return [_json(trace) for trace in value]


def _usage(value: _Given) -> object:
    if value.__class__ is not dict:
        raise ValueError
    usage = msgspec.convert(value, Usage)  # names, kinds and limits at once
    if usage.cost_usd is not None:
        # Of what was given, since msgspec makes floats of Decimals; in place, since nobody else has seen it yet.
        msgspec.structs.force_setattr(usage, "cost_usd", _cost(value["cost_usd"]))
    return usage


def _project(value: _Given) -> str:
    if value.__class__ is not str or not _is_project(value):
        raise ValueError
    return value


def _event_id(value: _Given) -> str:
    if value.__class__ is not str or not _is_event_id(value):
        raise ValueError
    return value


def _time(value: _Given) -> datetime:
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


class _Form(NamedTuple):
    """How the events of one type are told.

    Args:
        type_name: its CloudEvents type.
        agent: takes its agent's id.
        takes: {field of the payload: what takes it}.
        defaults: {field of the payload: what is written for one left out}; no value of it is ever changed.
        required: fields of the payload that must be given.
        masked: fields of the payload that may hold something to mask.
    """

    type_name: str
    agent: _Take
    takes: Mapping[str, _Take]
    defaults: dict[str, Any]
    required: tuple[str, ...]
    masked: tuple[str, ...]


def _form(event: type[BaseModel], agent: _Take, takes: Mapping[str, _Take] = _DATA) -> _Form:
    data: type[BaseModel] = get_type_hints(event)["data"]
    fields = data.model_fields
    defaults = {
        name: field.get_default(call_default_factory=True) for name, field in fields.items() if not field.is_required()
    }
    return _Form(
        type_name=event.model_fields["type"].default,
        agent=agent,
        takes={name: takes[name] for name in fields},
        defaults={name: value for name, value in defaults.items() if value is not None},
        required=tuple(name for name, field in fields.items() if field.is_required()),
        masked=masked_fields(data),
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


def check_quickly(
    event_type: type[BaseModel],
    data: Mapping[str, Any],
    project: object,
    run_id: object,
    agent: object,
    event_id: object,
    occurred_at: object,
    source: str = "runledger",
) -> Telling | None:
    """Check and write what is told, as `building.build` and the codec do; None where the model is to decide."""
    form = _FORMS.get(event_type)
    if form is None or run_id.__class__ is not UUID:
        return None
    payload = form.defaults.copy()
    try:
        takes = form.takes
        for name, given in data.items():
            if given is not None:
                payload[name] = takes[name](given)
        for name in form.required:
            payload[name]  # one that is missing raises KeyError
        fields: dict[str, Any] = {
            "specversion": "1.0",
            "source": source,
            "datacontenttype": "application/json",
            "id": new_event_id() if event_id is None else _event_id(event_id),
            "projectkey": _project(project),
            "subject": run_id,
            "time": datetime.now(UTC) if occurred_at is None else _time(occurred_at),
            "agentid": form.agent(agent),
            "type": form.type_name,
            "data": payload,
        }
        if agent is None:
            del fields["agentid"]
        value = write(fields)
    except (KeyError, ValueError, TypeError):
        return None
    if _ESCAPE in value and _NUL in value:
        return None
    return Telling(fields["id"], fields["projectkey"], run_id, fields, form.masked, value)
