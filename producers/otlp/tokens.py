"""Token usage of one call of a model, as its span tells it."""

from __future__ import annotations

import math
from decimal import Decimal

from runledger.producers.otlp.conventions import StepKind, first_at, text_at
from runledger.producers.otlp.shortening import Shortener
from runledger.producers.otlp.spans import Attributes, Span
from runledger.producers.otlp.texts import prompt_of
from runledger.schemas.usage import TokenUsage
from runledger.schemas.values import COST_LIMIT, MAX_INTEGER, MAX_SUMMARY

MAX_NAME = 255
_COUNTS: dict[str, tuple[str, ...]] = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    "total_tokens": ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total"),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
}
"""Our name to theirs: OpenTelemetry's current name, its older ones and OpenLLMetry's, OpenInference's."""
_MODELS = (
    "gen_ai.response.model",
    "llm.response.model_name",
    "gen_ai.request.model",
    "llm.model_name",
    "llm.request.model_name",
    "embedding.model_name",
)
"""What answered goes before what was asked for: it is what was used, and it costs."""
_COSTS = ("llm.cost.total", "gen_ai.usage.cost")
_COST_PARTS = ("llm.cost.prompt", "llm.cost.completion")


def model_of(attributes: Attributes) -> str | None:
    """Give the model of a call."""
    model = text_at(attributes, *_MODELS)
    return None if model is None else model[:MAX_NAME]


def usage_of(span: Span, kind: StepKind, shortener: Shortener) -> TokenUsage:
    """Give what a call of a model used. What its span does not tell is unknown."""
    attributes = span.attributes
    prompt = prompt_of(span)
    counts = {name: _count(first_at(attributes, theirs)) for name, theirs in _COUNTS.items()}
    return TokenUsage(
        **counts,
        cost_usd=_cost_of(attributes),
        model=model_of(attributes),
        llm_calls=1 if kind == "llm" else None,
        prompt_preview=None if prompt is None else shortener.cut(prompt, MAX_SUMMARY),
    )


def _count(value: object) -> int | None:
    """Read a count; whatever is none is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_INTEGER:
        return None
    return int(value) if value == int(value) else None


def _cost_of(attributes: Attributes) -> Decimal | None:
    total = _usd(first_at(attributes, _COSTS))
    if total is not None:
        return total
    parts = [_usd(attributes.get(name)) for name in _COST_PARTS]
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def _usd(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    cost_usd = Decimal(str(value))
    return cost_usd if 0 <= cost_usd < COST_LIMIT / 2 else None
