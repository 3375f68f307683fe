"""Token usage of one call of a model, as its span tells it."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from runledger.producers.otlp.conventions import StepKind, first_at, text_at
from runledger.producers.otlp.shortening import Shortener
from runledger.producers.otlp.spans import Attributes, Span
from runledger.producers.otlp.texts import prompt_of
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


def usage_of(span: Span, kind: StepKind, shortener: Shortener) -> dict[str, Any]:
    """Give the fields of `token_usage` for a call of a model. What its span does not tell is left out."""
    attributes = span.attributes
    prompt = prompt_of(span)
    usage: dict[str, Any] = {}
    for name, theirs in _COUNTS.items():
        if (told := first_at(attributes, theirs)) is not None:
            usage[name] = _count(told)
    usage["cost_usd"] = _cost_of(attributes)
    usage["model"] = model_of(attributes)
    usage["llm_calls"] = 1 if kind == "llm" else None
    usage["prompt_preview"] = None if prompt is None else shortener.cut(prompt, MAX_SUMMARY)
    return {name: value for name, value in usage.items() if value is not None}


def _count(value: object) -> int | None:
    """Read a count; whatever is none is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_INTEGER:
        return None
    return int(value) if value == int(value) else None


def _cost_of(attributes: Attributes) -> float | Decimal | None:
    total: float | None = first_at(attributes, _COSTS)
    if _usd(total) is not None:
        return total
    prompt_usd, completion_usd = (_usd(attributes.get(name)) for name in _COST_PARTS)
    return None if prompt_usd is None or completion_usd is None else prompt_usd + completion_usd


def _usd(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    cost_usd = Decimal(str(value))
    return cost_usd if 0 <= cost_usd < COST_LIMIT / 2 else None
