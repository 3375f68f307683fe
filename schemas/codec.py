"""Bytes to records and back; a DecodeError says why not."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from runledger.schemas.errors import DecodeError, EncodeError
from runledger.schemas.identifiers import run_key
from runledger.schemas.outcomes import LoggedRun, StreakRevised
from runledger.schemas.run_events import AnyRunEvent, RunEvent
from runledger.schemas.values import MAX_EVENT_BYTES

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
EVENT_ID_HEADER = "ce_id"

_Record = TypeVar("_Record")
_EVENTS: TypeAdapter[AnyRunEvent] = TypeAdapter(RunEvent)
_RUN_LOG: TypeAdapter[LoggedRun | StreakRevised] = TypeAdapter(LoggedRun | StreakRevised)


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


@cache
def _adapter(record_type: type) -> TypeAdapter[Any]:
    return TypeAdapter(record_type)


def _because(error: ValidationError) -> DecodeError:
    """Name the first offending field; never quote its value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    path = [str(part) for part in first["loc"]]
    field = ".".join(path[1:] if path and path[0].startswith("runledger.") else path)  # without the union's tag
    if first["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return DecodeError("unknown_type", "type is none of the known event types", "type")
    return DecodeError("invalid", f"{field}: {first['msg']}" if field else first["msg"], field or None)


def _parse(value: bytes | None) -> object:
    if not value:
        raise DecodeError("empty", "the record has no value")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise DecodeError("not_json", f"not JSON: {error.msg} at character {error.pos}") from error


def encode_event(event: AnyRunEvent) -> bytes:
    """Write an event as CloudEvents structured JSON.

    Raises:
        EncodeError: the event takes more than 900,000 bytes.
    """
    return within_size(event.__pydantic_serializer__.to_json(event, by_alias=True, exclude_none=True))


def within_size(value: bytes) -> bytes:
    """Give an event's bytes as they are.

    Raises:
        EncodeError: they are more than 900,000.
    """
    if len(value) > MAX_EVENT_BYTES:
        raise EncodeError(f"the event takes {len(value)} bytes, more than {MAX_EVENT_BYTES}")
    return value


def decode_event(value: bytes | None, key: bytes | None = None) -> AnyRunEvent:
    """Read one event from run-events.

    Args:
        value: CloudEvents structured JSON.
        key: the record's key; where given it must be the event's own `project/run_id`.

    Raises:
        DecodeError: the bytes are not a valid event, or stand under another run's key.
    """
    if value and len(value) > MAX_EVENT_BYTES:
        raise DecodeError("too_large", f"{len(value)} bytes, more than {MAX_EVENT_BYTES}")
    event = event_of(_parse(value))
    if key is not None and key != run_key(event.project_key, event.run_id):
        raise DecodeError("wrong_key", "the record's key is not the event's project and run", "key")
    return event


def event_of(document: object) -> AnyRunEvent:
    """Validate one event that was parsed already.

    Raises:
        DecodeError: the document is not a valid event.
    """
    try:
        return _EVENTS.validate_python(document)
    except ValidationError as error:
        raise _because(error) from error


def encode(record: object) -> bytes:
    """Write a snapshot, outcome, job or any other record dataclass as JSON; costs as text, times in RFC 3339."""
    return orjson.dumps(record, default=_as_text)


def decode(record_type: type[_Record], value: bytes | None) -> _Record:
    """Read a record written by `encode`, of this or an older schema_version.

    Raises:
        DecodeError: the bytes are not a valid record of that type.
    """
    document = _parse(value)
    try:
        record: _Record = _adapter(record_type).validate_python(document)  # type: ignore[arg-type]  # types are hashable
    except ValidationError as error:
        raise _because(error) from error
    return _writable(record)


def decode_run_log(value: bytes | None) -> LoggedRun | StreakRevised:
    """Read one record from run-log.

    Raises:
        DecodeError: the bytes are neither a LoggedRun nor a StreakRevised.
    """
    document = _parse(value)
    try:
        return _writable(_RUN_LOG.validate_python(document))
    except ValidationError as error:
        raise _because(error) from error


def _writable(record: _Record) -> _Record:
    """Give a record back that can be written again: whoever reads one hands it on, and must not end in the midst."""
    try:
        encode(record)
    except orjson.JSONEncodeError as error:
        raise DecodeError("invalid", f"cannot be written again: {error}") from error
    return record
