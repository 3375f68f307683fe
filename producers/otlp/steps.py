"""One step of a run as a trace entry: what a waterfall of the run is drawn from."""

from __future__ import annotations

from typing import Any

import orjson

from runledger.producers.otlp.conventions import StepKind, first_at, text_at
from runledger.producers.otlp.shortening import Shortener
from runledger.producers.otlp.spans import Span
from runledger.producers.otlp.tokens import MAX_NAME, model_of

MAX_EXCERPT = 2000
"""Characters of a tool's arguments, its result, or a query."""
_NAMES: dict[str, tuple[str, ...]] = {
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "agent": ("gen_ai.agent.name", "agent.name"),
    "response_id": ("gen_ai.response.id",),
}
TOOL_NAMES = ("gen_ai.tool.name", "tool.name", "traceloop.entity.name")
_TOOL: dict[str, tuple[str, ...]] = {
    "tool": TOOL_NAMES,
    "tool_call_id": ("gen_ai.tool.call.id", "tool_call.id", "tool.id"),
}
_TOOL_EXCERPTS: dict[str, tuple[str, ...]] = {
    "arguments": ("gen_ai.tool.call.arguments", "input.value", "traceloop.entity.input", "tool.parameters"),
    "result": ("gen_ai.tool.call.result", "output.value", "traceloop.entity.output"),
}
_QUERY: dict[str, tuple[str, ...]] = {"query": ("gen_ai.retrieval.query.text", "reranker.query", "input.value")}


def trace_entry(span: Span, kind: StepKind, shortener: Shortener) -> dict[str, Any]:
    """Describe a step; what its span does not tell is left out."""
    entry: dict[str, Any] = {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": shortener.cut(span.name, MAX_NAME),
        "kind": kind,
        "started_at": span.started_at.isoformat(),
        "duration_ms": span.duration_ms,
        "status": "error" if span.failed else "ok",
    }
    names, excerpts = dict(_NAMES), {}
    if kind in {"llm", "embedding", "reranker"}:
        entry["model"] = model_of(span.attributes)
    if kind == "tool":
        names, excerpts = names | _TOOL, _TOOL_EXCERPTS
    elif kind in {"retriever", "reranker"}:
        excerpts = _QUERY
    for ours, theirs in names.items():
        if (named := text_at(span.attributes, *theirs)) is not None:
            entry[ours] = shortener.cut(named, MAX_NAME)
    for ours, theirs in excerpts.items():
        if (value := first_at(span.attributes, theirs)) is not None:
            entry[ours] = shortener.cut(_as_text(value), MAX_EXCERPT)
    return {name: value for name, value in entry.items() if value is not None}


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
