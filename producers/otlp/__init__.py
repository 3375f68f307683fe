"""Spans of agents that are already instrumented, as events of runs (docs/opentelemetry.md). Pure; I/O is the gateway's.

The reader of protobuf needs the extra `server` and is imported by name: `runledger.producers.otlp.protobuf`.
"""

from runledger.producers.otlp.documents import read_json
from runledger.producers.otlp.errors import OtlpError, RefusedSpanError, UnreadableError
from runledger.producers.otlp.mapping import Mapped, events_of, map_reading
from runledger.producers.otlp.shortening import Shortener
from runledger.producers.otlp.spans import Reading, Span, SpanEvent

__all__ = [
    "Mapped",
    "OtlpError",
    "Reading",
    "RefusedSpanError",
    "Shortener",
    "Span",
    "SpanEvent",
    "UnreadableError",
    "events_of",
    "map_reading",
    "read_json",
]
