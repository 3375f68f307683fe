"""What a span is about, by the names that instrumentations give it.

Three families are read: OpenTelemetry's conventions for generative AI (`gen_ai.*`, the current names and older ones),
OpenInference's (`openinference.span.kind`, `llm.*`) and OpenLLMetry's (`traceloop.*`, `llm.request.type`).
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from runledger.producers.otlp.spans import Attributes, Span

StepKind: TypeAlias = Literal[
    "llm",
    "embedding",
    "tool",
    "agent",
    "chain",
    "retriever",
    "reranker",
    "guardrail",
    "evaluator",
    "prompt",
    "decision",
]
USING_TOKENS: frozenset[StepKind] = frozenset({"llm", "embedding"})
"""Only these tell tokens: what an agent's or a chain's span tells is the sum of theirs, and would count twice."""
USAGE_SCOPES = "runledger.usage_scopes"
"""Resource attribute: names of instrumentations, separated by spaces; only their spans tell tokens."""
UNKNOWN_AGENT = "unknown"

_OPENINFERENCE: dict[str, StepKind] = {
    "LLM": "llm",
    "EMBEDDING": "embedding",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "chain",
    "RETRIEVER": "retriever",
    "RERANKER": "reranker",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator",
    "PROMPT": "prompt",
    "DECISION": "decision",
}
_OPERATIONS: dict[str, StepKind] = {
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "embeddings": "embedding",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "chain",
    "plan": "chain",
    "retrieval": "retriever",
}
_REQUEST_TYPES: dict[str, StepKind] = {
    "chat": "llm",
    "completion": "llm",
    "embedding": "embedding",
    "rerank": "reranker",
}
_TRACELOOP: dict[str, StepKind] = {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tool"}
_KIND_NAMES: tuple[tuple[str, dict[str, StepKind]], ...] = (
    ("openinference.span.kind", _OPENINFERENCE),
    ("gen_ai.operation.name", _OPERATIONS),
    ("llm.request.type", _REQUEST_TYPES),
    ("traceloop.span.kind", _TRACELOOP),
)
_MODEL_CALL = ("gen_ai.request.model", "gen_ai.response.model")
_MODEL_TOKENS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
)


def step_kind(attributes: Attributes) -> StepKind | None:
    """Tell what an agent's step a span shows; None for what is none, such as a call of a database.

    A span that names no operation, but a model and the tokens it used, shows a call of that model.
    """
    for name, kinds in _KIND_NAMES:
        value = attributes.get(name)
        if isinstance(value, str) and (kind := kinds.get(value)) is not None:
            return kind
    if "gen_ai.operation.name" in attributes:
        return "chain"
    if any(name in attributes for name in _MODEL_CALL) and any(name in attributes for name in _MODEL_TOKENS):
        return "llm"
    return None


def begins_run(span: Span, kind: StepKind | None) -> bool:
    """Tell whether a span is a whole run: it began its trace, and is no mere call of something outside."""
    return span.parent_span_id is None and (kind is not None or span.kind not in {"client", "producer"})


def tells_tokens(span: Span, kind: StepKind) -> bool:
    """Tell whether a span's tokens count."""
    if kind not in USING_TOKENS:
        return False
    scopes = text_at(span.resource, USAGE_SCOPES)
    return scopes is None or span.scope in scopes.split()


def process_agent(resource: Attributes) -> str | None:
    """Give the agent that a process says it is, in every span it makes."""
    named = text_at(resource, "gen_ai.agent.name")
    if named is not None:
        return named
    service = text_at(resource, "service.name")
    # The name that SDKs give a process which has none (OpenTelemetry, Resource conventions, "Service").
    return None if service is None or service.startswith("unknown_service") else service


def run_agent(span: Span) -> str:
    """Give the agent of a run by the span that is the run."""
    attributes = span.attributes
    named = text_at(attributes, "gen_ai.agent.name", "agent.name")
    if named is None and attributes.get("traceloop.span.kind") == "agent":
        named = text_at(attributes, "traceloop.entity.name")
    return named or process_agent(span.resource) or UNKNOWN_AGENT


def text_at(attributes: Attributes, *names: str) -> str | None:
    """Give the first of some attributes that is text and not blank, trimmed."""
    for name in names:
        value = attributes.get(name)
        # Readers make no texts of other classes.
        if value.__class__ is str and (text := value.strip()):
            found: str = text
            return found
    return None


def first_at(attributes: Attributes, names: tuple[str, ...]) -> Any:  # noqa: ANN401  # any attribute's value
    """Give the first of some attributes that is there."""
    for name in names:
        value = attributes.get(name)
        if value is not None:
            return value
    return None
