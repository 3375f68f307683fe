"""Estimate what a report cost, by the model's public price at the time it was used."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import ModelInfo, Provider, TieredPrices

from runledger.schemas.lean_events import AnyTokenUsage
from runledger.schemas.values import quantize_usd

_MILLION = 1_000_000
_THOUSAND = 1000
_OPENAI_EMBEDDINGS = ("text-embedding-3-", "text-embedding-ada-")
"""How OpenAI's embedding models are named. The price list knows them only under its maker; Google's begin differently
(`text-embedding-004`), and which of OpenAI's a name means, the list still decides by the whole name."""


def _provider_of(model: str, providers: list[Provider]) -> Provider | None:
    for provider in providers:
        if provider.model_match is not None and provider.model_match.is_match(model):
            return provider
    return find_provider_by_id(providers, "openai") if model.startswith(_OPENAI_EMBEDDINGS) else None


@lru_cache(maxsize=4096)
def _find_model(name: str) -> ModelInfo | None:
    # The library's own look-up remembers every name it was ever asked for; agents choose these names, so ours forgets.
    providers = get_snapshot().providers
    name = name.strip().lower()
    maker, slash, model = name.partition("/")
    named = find_provider_by_id(providers, maker) if slash else None
    if named is not None:
        return named.find_model(model, all_providers=providers)
    provider = _provider_of(name, providers)
    return provider.find_model(name, all_providers=providers) if provider is not None else None


def _rate(price: Decimal | TieredPrices | None, input_per_call: float) -> Decimal | None:
    if not isinstance(price, TieredPrices):
        return price
    for tier in reversed(price.tiers):
        if input_per_call > tier.start:
            return tier.price
    return price.base


def _split(usage: AnyTokenUsage) -> tuple[tuple[int, str, str], ...] | None:
    """Split a report into parts, each charged once: (tokens, key of its price, key of the price it falls back to)."""
    read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    reasoning = usage.reasoning_tokens or 0
    fresh, answer = (usage.input_tokens or 0) - read - write, (usage.output_tokens or 0) - reasoning
    if fresh < 0 or answer < 0:
        return None
    return (
        (fresh, "input_mtok", "input_mtok"),
        (read, "cache_read_mtok", "input_mtok"),
        (write, "cache_write_mtok", "input_mtok"),
        (answer, "output_mtok", "output_mtok"),
        (reasoning, "output_reasoning_mtok", "output_mtok"),
    )


def estimate_usd(usage: AnyTokenUsage, at: datetime) -> Decimal | None:
    """Estimate the cost of one report; None where the model, a price or the split into input and output is not known.

    Cached tokens are part of the input and reasoning tokens of the output; a report that says otherwise, with more of
    them than input or output, is not guessed at. A price that depends on the size of the prompt is chosen by the mean
    input per call.

    Args:
        usage: tokens of one report, of one or more calls.
        at: when they were used; aware.
    """
    model = _find_model(usage.model) if usage.model is not None else None
    if model is None or (usage.input_tokens is None and usage.output_tokens is None):
        return None
    parts = _split(usage)
    if parts is None:
        return None
    calls = usage.llm_calls or 1
    input_per_call = (usage.input_tokens or 0) / calls
    prices = vars(model.get_prices(at))
    cost_usd = (prices.get("requests_kcount") or Decimal(0)) * calls / _THOUSAND
    for tokens, key, fallback in parts:
        if tokens:
            price = prices.get(key)
            rate = _rate(prices.get(fallback) if price is None else price, input_per_call)
            if rate is None:
                return None
            cost_usd += rate * tokens / _MILLION
    return quantize_usd(cost_usd)
