"""Read spans from OTLP's JSON (OTLP specification, "JSON Protobuf Encoding").

It is proto3's JSON but for ids, which are hexadecimal, and enumerations, which are numbers. 64-bit integers are text or
numbers. Names that are not known are ignored.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from runledger.producers.otlp.errors import RefusedSpanError, UnreadableError
from runledger.producers.otlp.spans import (
    MAX_ATTRIBUTES,
    MAX_EVENTS,
    MAX_ITEMS,
    MAX_SHARED_TEXT,
    MAX_SPANS,
    MAX_VALUE_DEPTH,
    TOO_MANY_SPANS,
    Attributes,
    Identity,
    Reading,
    Span,
    SpanEvent,
    Times,
    clean,
    finite,
    make_span,
    require_few,
    shared,
)

_INT64_END = 2**63
_MOST_WITHIN = 1_000_000
"""Objects and lists of a request: half of them would do for spans of the shortest attributes. Eight megabytes may hold
millions that say nothing, and no other thread runs while they are made."""
_WHOLE = re.compile(r"-?[0-9]{1,20}")
"""A 64-bit integer has no more digits."""


def read_json(body: bytes) -> Reading:
    """Read a request.

    Raises:
        UnreadableError: it is not such a document.
    """
    if body.count(b"{") + body.count(b"[") > _MOST_WITHIN:
        raise UnreadableError(f"more than {_MOST_WITHIN} objects and arrays: export smaller batches")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(f"not JSON: {error.msg} at character {error.pos}") from error
    reading = Reading()
    for resource_spans in _objects(_object(document, "the body"), "resourceSpans"):
        resource = shared(_attributes(_member(resource_spans, "resource")))
        for scope_spans in _objects(resource_spans, "scopeSpans"):
            scope = _text(_member(scope_spans, "scope"), "name")[:MAX_SHARED_TEXT]
            for raw in _objects(scope_spans, "spans"):
                if len(reading.spans) + reading.refused.total() >= MAX_SPANS:
                    reading.refused[TOO_MANY_SPANS] += 1
                    continue
                try:
                    reading.spans.append(_span(raw, (resource, scope)))
                except RefusedSpanError as error:
                    reading.refused[str(error)] += 1
    return reading


def _span(raw: dict[str, Any], within: tuple[Attributes, str]) -> Span:
    # All of it is read before any of it is refused: what is no such document at all is to be said first.
    name, kind, attributes, status = _text(raw, "name"), _integer(raw, "kind"), _attributes(raw), _member(raw, "status")
    events = tuple(SpanEvent(_text(event, "name"), _attributes(event)) for event in _objects(raw, "events"))
    told = _integer(status, "code"), _text(status, "message")
    ids = [_text(raw, of) for of in ("traceId", "spanId", "parentSpanId")]
    times = [_integer(raw, of) for of in ("startTimeUnixNano", "endTimeUnixNano")]
    require_few("events", len(events), MAX_EVENTS)
    require_few("attributes", len(_objects(raw, "attributes")), MAX_ATTRIBUTES)
    identity = Identity.of(*map(_id, ids))
    return make_span(
        within, identity, Times.of(*times), name=name, kind=kind, attributes=attributes, events=events, status=told
    )


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    return {
        _text(pair, "key"): _plain(_member(pair, "value"), 1) for pair in _objects(holder, "attributes")[:MAX_ITEMS]
    }


def _plain(value: dict[str, Any], depth: int) -> Any:  # noqa: ANN401  # any JSON value
    plain: Any = None
    for name, held in value.items():
        if held is None:
            continue
        match name:
            case "stringValue" | "bytesValue":
                plain = _text(value, name)
            case "intValue":
                plain = _int64(_integer(value, name))
            case "doubleValue":
                plain = _double(held)
            case "boolValue":
                plain = _bool(held)
            case "arrayValue" | "kvlistValue":
                plain = _collection(name, _object(held, name), depth)
            case _:
                continue
    return plain


def _collection(name: str, held: dict[str, Any], depth: int) -> list[Any] | dict[str, Any] | None:
    if depth >= MAX_VALUE_DEPTH:
        return None
    values = _objects(held, "values")[:MAX_ITEMS]
    if name == "arrayValue":
        return [_plain(item, depth + 1) for item in values]
    return {_text(pair, "key"): _plain(_member(pair, "value"), depth + 1) for pair in values}


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableError(f"{name} must be a JSON object")
    return value


def _member(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    return {} if value is None else _object(value, name)


def _objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = holder.get(name)
    if values is None:
        return []
    if not isinstance(values, list):
        raise UnreadableError(f"{name} must be a JSON array")
    return [_object(value, name) for value in values]


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableError(f"{name} must be text")
    return clean(value)


def _integer(holder: dict[str, Any], name: str) -> int:
    value = holder.get(name)
    if value is None:
        return 0
    try:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            return int(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
            return int(value)
    except OverflowError as error:
        raise UnreadableError(f"{name} must be a whole number") from error
    raise UnreadableError(f"{name} must be a whole number")


def _int64(value: int) -> int:
    if not -_INT64_END <= value < _INT64_END:
        raise UnreadableError("intValue must fit into 64 bits")
    return value


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise UnreadableError("boolValue must be true or false")
    return value


def _double(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnreadableError("doubleValue must be a number")
    try:
        return finite(float(value))
    except (ValueError, OverflowError) as error:
        raise UnreadableError("doubleValue must be a number") from error


def _id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise RefusedSpanError("an id is not hexadecimal") from error
