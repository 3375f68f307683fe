"""A failed span as a failure: the exception it recorded, or else what its status says."""

from __future__ import annotations

from typing import Any

from runledger.producers.otlp.conventions import StepKind, text_at
from runledger.producers.otlp.shortening import Shortener
from runledger.producers.otlp.spans import Span
from runledger.producers.otlp.steps import TOOL_NAMES
from runledger.producers.otlp.tokens import MAX_NAME, model_of
from runledger.schemas.values import MAX_ERROR, MAX_SUMMARY


def failure_of(span: Span, kind: StepKind | None, task_id: str | None, shortener: Shortener) -> dict[str, Any]:
    """Give the payload that says what failed.

    Args:
        span: failed.
        kind: what it shows.
        task_id: that the run works on, where the span tells it.
        shortener: cuts texts to their limits.
    """
    exception = next((event.attributes for event in reversed(span.events) if event.name == "exception"), {})
    kind_of_error = text_at(exception, "exception.type") or text_at(span.attributes, "error.type")
    message = text_at(exception, "exception.message") or span.status_message.strip() or None
    said = _joined(kind_of_error, message)
    stack = text_at(exception, "exception.stacktrace")
    error = stack if stack is not None and (message is None or message in stack) else _lines(said, stack)
    tool = text_at(span.attributes, *TOOL_NAMES) if kind == "tool" else None
    context: dict[str, Any] = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": shortener.cut(span.name, MAX_NAME),
        "kind": kind,
        "error_type": None if kind_of_error is None else shortener.cut(kind_of_error, MAX_NAME),
        "model": model_of(span.attributes),
        "tool": None if tool is None else shortener.cut(tool, MAX_NAME),
    }
    return {
        "summary": shortener.cut(said or f"{span.name or 'a span'} failed", MAX_SUMMARY),
        "task_id": task_id,
        "error": None if error is None else shortener.cut_within(error, MAX_ERROR),
        "context": {name: value for name, value in context.items() if value is not None},
    }


def _joined(kind_of_error: str | None, message: str | None) -> str | None:
    if kind_of_error is None or message is None or message.startswith(kind_of_error):
        return message or kind_of_error
    return f"{kind_of_error}: {message}"


def _lines(*parts: str | None) -> str | None:
    return "\n".join(part for part in parts if part is not None) or None
