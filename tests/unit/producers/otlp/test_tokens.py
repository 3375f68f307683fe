"""Token usage in each family of names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runledger.producers.otlp.tokens import usage_of
from runledger.schemas.usage import TokenUsage
from tests.unit.producers.otlp.requests import SHORTENER, one_span

CURRENT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.output_tokens": 40,
    "gen_ai.usage.cache_read.input_tokens": 100,
    "gen_ai.usage.cache_creation.input_tokens": 5,
    "gen_ai.usage.reasoning.output_tokens": 30,
}
OLDER = {
    "llm.request.type": "chat",
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.prompt_tokens": 120,
    "gen_ai.usage.completion_tokens": 40,
    "llm.usage.total_tokens": 160,
    "gen_ai.usage.cache_read_input_tokens": 100,
    "gen_ai.usage.cache_creation_input_tokens": 5,
    "gen_ai.usage.reasoning_tokens": 30,
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o-2024-08-06",
    "llm.token_count.prompt": 120,
    "llm.token_count.completion": 40,
    "llm.token_count.total": 160,
    "llm.token_count.prompt_details.cache_read": 100,
    "llm.token_count.prompt_details.cache_write": 5,
    "llm.token_count.completion_details.reasoning": 30,
}


def usage(attributes: dict[str, Any]) -> TokenUsage:
    return TokenUsage.model_validate(usage_of(one_span(attributes), "llm", SHORTENER))


@pytest.mark.parametrize(
    ("attributes", "total"),
    [(CURRENT, None), (OLDER, 160), (OPENINFERENCE, 160)],
    ids=["current", "older", "inference"],
)
def test_a_call_used_this(attributes: dict[str, Any], total: int | None) -> None:
    assert usage(attributes) == TokenUsage(
        input_tokens=120,
        output_tokens=40,
        total_tokens=total,
        model="gpt-4o-2024-08-06",
        llm_calls=1,
        cache_read_tokens=100,
        cache_write_tokens=5,
        reasoning_tokens=30,
    )


@pytest.mark.parametrize(
    ("attributes", "model"),
    [
        ({"gen_ai.request.model": "asked", "gen_ai.response.model": "answered"}, "answered"),
        ({"gen_ai.request.model": "asked", "gen_ai.response.model": " "}, "asked"),
        ({"llm.model_name": "asked", "llm.response.model_name": "answered"}, "answered"),
        ({"llm.request.model_name": "asked", "llm.model_name": "used"}, "used"),
        ({"embedding.model_name": "text-embedding-3-small"}, "text-embedding-3-small"),
        ({"gen_ai.request.model": "m" * 300}, "m" * 255),
        ({"gen_ai.request.model": 7}, None),
    ],
    ids=range(7),
)
def test_the_model_that_answered_goes_first(attributes: dict[str, Any], model: str | None) -> None:
    assert usage(attributes).model == model


@pytest.mark.parametrize("count", [-1, 2**53, 1.5, "12", True, None, [3]], ids=range(7))
def test_what_is_no_count_is_unknown(count: object) -> None:
    assert usage({"gen_ai.usage.input_tokens": count}).input_tokens is None


def test_a_whole_float_is_a_count() -> None:
    assert usage({"gen_ai.usage.input_tokens": 12.0}).input_tokens == 12


@pytest.mark.parametrize(
    ("attributes", "cost_usd"),
    [
        ({"llm.cost.total": 0.0123, "llm.cost.prompt": 9.0}, "0.0123"),
        ({"llm.cost.prompt": 0.1, "llm.cost.completion": 0.2}, "0.3"),
        ({"llm.cost.prompt": 0.1}, None),
        ({"gen_ai.usage.cost": 1}, "1"),
        ({"llm.cost.total": -1.0}, None),
        ({"llm.cost.total": 1e12}, None),
        ({"llm.cost.total": "0.1"}, None),
        ({"llm.cost.total": True}, None),
        ({}, None),
    ],
    ids=range(9),
)
def test_a_cost_is_taken_where_it_is_told(attributes: dict[str, Any], cost_usd: str | None) -> None:
    assert usage(attributes).cost_usd == (None if cost_usd is None else Decimal(cost_usd))


def test_a_prompt_is_cut_to_its_limit() -> None:
    preview = usage({"input.value": "é" * 5000}).prompt_preview
    assert preview == "é" * 1999 + "…"


def test_an_embedding_is_no_call_of_a_language_model() -> None:
    span = one_span({"openinference.span.kind": "EMBEDDING", "llm.token_count.prompt": 3})
    used = usage_of(span, "embedding", SHORTENER)
    assert used == {"input_tokens": 3}
