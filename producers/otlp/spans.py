"""A span as a plain value, however it was written."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

import msgspec

from runledger.producers.otlp.errors import RefusedSpanError

MAX_SPANS = 10_000
"""Of one request. SDKs send 512 at a time, OpenTelemetry's Collector 8,192, unless told otherwise."""
MAX_ATTRIBUTES = 4096
"""Of a span; SDKs keep 128 unless told otherwise."""
MAX_EVENTS = 1024
MAX_ITEMS = 4096
"""Of a list, an object, a resource or an event; what stands beyond is left out."""
MAX_SHARED_TEXT = 8192
"""Characters of a resource's text or a scope's name: a request has them once, but each of its spans works with them."""
MAX_VALUE_DEPTH = 16
"""What lies deeper within an attribute's value is left out."""
TOO_MANY_SPANS = f"more than {MAX_SPANS} spans in one request: export smaller batches"
_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_NANOSECONDS = 2**64
"""OTLP's times are unsigned 64-bit numbers: they end in the year 2554."""

Attributes: TypeAlias = Mapping[str, Any]
"""Name to None, bool, int, finite float, str, or lists and dicts of them."""
SpanKind: TypeAlias = Literal["unspecified", "internal", "server", "client", "producer", "consumer"]
_KINDS: tuple[SpanKind, ...] = ("unspecified", "internal", "server", "client", "producer", "consumer")
_ERROR = 2
"""STATUS_CODE_ERROR of OTLP's trace.proto."""


class SpanEvent(msgspec.Struct, frozen=True, gc=False):
    """Something that happened during a span."""

    name: str
    attributes: Attributes


class Span(msgspec.Struct, frozen=True, gc=False):
    """One finished span; the collector need not follow it, of which thousands come at once.

    Args:
        resource: attributes of the process that made it.
        scope: name of the instrumentation that made it.
        trace_id: 32 hexadecimal digits, lower case.
        span_id: 16 hexadecimal digits, lower case.
        parent_span_id: as `span_id`; None for the span that began the trace.
        name: of the operation.
        kind: OpenTelemetry's.
        started_at: aware, UTC.
        ended_at: aware, UTC, not before `started_at`.
        duration_ms: to the nanosecond, which a datetime does not hold.
        attributes: of the span.
        events: in their order.
        failed: whether its status is an error.
        status_message: of that status.
    """

    resource: Attributes
    scope: str
    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: SpanKind
    started_at: datetime
    ended_at: datetime
    duration_ms: float
    attributes: Attributes
    events: tuple[SpanEvent, ...]
    failed: bool
    status_message: str


@dataclass(slots=True)
class Reading:
    """What a request holds.

    Args:
        spans: those that can be taken, in their order.
        refused: why the others cannot, to how many.
    """

    spans: list[Span] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


class Identity(msgspec.Struct, frozen=True, gc=False):
    """The ids of a span, read and checked."""

    trace_id: str
    span_id: str
    parent_span_id: str | None

    @classmethod
    def of(cls, trace_id: bytes, span_id: bytes, parent_span_id: bytes) -> Identity:
        """Check the ids (OpenTelemetry, Trace API, "SpanContext": sixteen and eight bytes, not all zero).

        Raises:
            RefusedSpanError: one of them is not valid.
        """
        if len(trace_id) != _TRACE_ID_BYTES or not any(trace_id):
            raise RefusedSpanError("a trace id is not sixteen bytes, or all zero")
        if len(span_id) != _SPAN_ID_BYTES or not any(span_id):
            raise RefusedSpanError("a span id is not eight bytes, or all zero")
        if parent_span_id and len(parent_span_id) != _SPAN_ID_BYTES:
            raise RefusedSpanError("a parent span id is not eight bytes")
        return cls(trace_id.hex(), span_id.hex(), parent_span_id.hex() if any(parent_span_id) else None)


class Times(msgspec.Struct, frozen=True, gc=False):
    """When a span began and ended, read and checked."""

    started_at: datetime
    ended_at: datetime
    duration_ms: float

    @classmethod
    def of(cls, start_nanoseconds: int, end_nanoseconds: int) -> Times:
        """Check the times; a clock that was set back meanwhile makes no negative duration.

        Args:
            start_nanoseconds: since 1970, UTC.
            end_nanoseconds: since 1970, UTC.

        Raises:
            RefusedSpanError: one of them is missing or no such number.
        """
        if not 0 < start_nanoseconds < _END_NANOSECONDS or not 0 < end_nanoseconds < _END_NANOSECONDS:
            raise RefusedSpanError("a start or end time is missing, or does not fit into 64 bits")
        end_nanoseconds = max(start_nanoseconds, end_nanoseconds)
        return cls(
            _EPOCH + timedelta(microseconds=start_nanoseconds // 1000),
            _EPOCH + timedelta(microseconds=end_nanoseconds // 1000),
            (end_nanoseconds - start_nanoseconds) / 1_000_000,
        )


def make_span(
    within: tuple[Attributes, str],
    identity: Identity,
    times: Times,
    *,
    name: str,
    kind: int,
    attributes: Attributes,
    events: tuple[SpanEvent, ...],
    status: tuple[int, str],
) -> Span:
    """Make a span of what a reader found.

    Args:
        within: attributes of the resource, name of the scope.
        identity: its ids.
        times: its times.
        name: of the operation.
        kind: OTLP's number; one that is not known counts as unspecified.
        attributes: of the span.
        events: in their order.
        status: OTLP's code and message.
    """
    return Span(
        *within,
        identity.trace_id,
        identity.span_id,
        identity.parent_span_id,
        clean(name),
        _KINDS[kind] if 0 <= kind < len(_KINDS) else "unspecified",
        times.started_at,
        times.ended_at,
        times.duration_ms,
        attributes,
        events,
        status[0] == _ERROR,
        clean(status[1]),
    )


def require_few(what: str, count: int, most: int) -> None:
    """Refuse a span that holds too much.

    Raises:
        RefusedSpanError: it does.
    """
    if count > most:
        raise RefusedSpanError(f"a span has more than {most} {what}")


def clean(text: str) -> str:
    """Replace NUL characters, which no event may hold."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def shared(resource: Attributes) -> Attributes:
    """Shorten the texts of a resource; what is told of it, and the margin that is masked along, takes no more."""
    return {name: value[:MAX_SHARED_TEXT] if isinstance(value, str) else value for name, value in resource.items()}


def finite(number: float) -> float | None:
    """Give the number, or None for what JSON cannot hold."""
    return number if math.isfinite(number) else None


def printable(value: bytes) -> str:
    """Give bytes as base64, as the JSON form of protobuf has them."""
    return base64.b64encode(value).decode()
