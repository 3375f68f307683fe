"""Token usage: reports add up, the usage on the end is absolute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import TypeAlias

from runledger.processors.evolve import evolve
from runledger.schemas.lean_events import AnyTokenUsage
from runledger.schemas.twins import builder_of
from runledger.schemas.usage import CostSource, UsageTotals
from runledger.schemas.values import COST_LIMIT, COST_PLACES, MAX_INTEGER

Price: TypeAlias = Callable[[AnyTokenUsage, datetime], Decimal | None]
"""(usage, when it was used) -> US dollars, or None where the model's price is not known."""

MAX_COST_USD = COST_LIMIT - COST_PLACES
MAX_MODELS = 32
"""Names kept for one run, the first in the alphabet: a run's snapshot stays small whatever it is sent."""

_FIELDS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cost_usd",
    "llm_calls",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
_COUNTS = tuple(name for name in _FIELDS if name != "cost_usd")
_totals = builder_of(UsageTotals)
_read_totals = attrgetter(*_FIELDS)
_read_counts = attrgetter(*_COUNTS)


def _plus(first: int | None, second: int | None) -> int | None:
    # Beyond the largest count the sum stays there: no reader would hold it exactly, and none gets there honestly.
    if first is None or second is None:
        return second if first is None else first
    total = first + second
    return total if total <= MAX_INTEGER else MAX_INTEGER  # min() takes three times as long


def _has_tokens(usage: AnyTokenUsage | UsageTotals) -> bool:
    return bool(
        usage.input_tokens
        or usage.output_tokens
        or usage.total_tokens
        or usage.cache_read_tokens
        or usage.cache_write_tokens
        or usage.reasoning_tokens
    )


def _cost_of(usage: AnyTokenUsage, at: datetime, price: Price) -> tuple[Decimal | None, CostSource]:
    if usage.cost_usd is not None:
        return usage.cost_usd, "reported"
    if usage.model is None or not _has_tokens(usage):
        return None, "unknown"
    cost_usd = price(usage, at)
    return (None, "unknown") if cost_usd is None else (min(cost_usd, MAX_COST_USD), "estimated")


def add_report(
    total: UsageTotals, source: CostSource, usage: AnyTokenUsage, at: datetime, price: Price
) -> tuple[UsageTotals, CostSource]:
    """Add one report to the sum of the reports before it.

    A missing total is what is known of input and output. A report without tokens and cost says nothing about cost.

    Args:
        total: sum so far.
        source: where its cost comes from.
        usage: the report.
        at: when it was used: prices change.
        price: estimates a cost that was not reported.
    """
    cost_usd, report_source = _cost_of(usage, at, price)
    if source == report_source or (cost_usd is None and not _has_tokens(usage)):
        merged = source
    elif total.cost_usd is None and not _has_tokens(total):
        merged = report_source
    else:
        merged = "mixed"
    if cost_usd is None or total.cost_usd is None:
        cost_usd = total.cost_usd if cost_usd is None else cost_usd
    else:
        cost_usd = min(total.cost_usd + cost_usd, MAX_COST_USD)
    stated = usage.total_tokens
    used = _totals(
        _plus(total.input_tokens, usage.input_tokens),
        _plus(total.output_tokens, usage.output_tokens),
        _plus(total.total_tokens, _plus(usage.input_tokens, usage.output_tokens) if stated is None else stated),
        cost_usd,
        _plus(total.llm_calls, usage.llm_calls),
        _plus(total.cache_read_tokens, usage.cache_read_tokens),
        _plus(total.cache_write_tokens, usage.cache_write_tokens),
        _plus(total.reasoning_tokens, usage.reasoning_tokens),
    )
    return used, merged


def final_totals(usage: AnyTokenUsage | None, at: datetime, price: Price) -> tuple[UsageTotals | None, CostSource]:
    """Read the usage on an end. Its total is completed only where it names both input and output."""
    if usage is None:
        return None, "unknown"
    cost_usd, source = _cost_of(usage, at, price)
    final = _totals(*_read_totals(usage))
    total_tokens = usage.total_tokens
    if total_tokens is None and usage.input_tokens is not None and usage.output_tokens is not None:
        total_tokens = _plus(usage.input_tokens, usage.output_tokens)
    return evolve(final, total_tokens=total_tokens, cost_usd=cost_usd), source


def sum_up(
    reported: UsageTotals, reported_source: CostSource, final: UsageTotals | None, final_source: CostSource
) -> tuple[UsageTotals, CostSource, bool]:
    """Say what the run used: the sum, until an end says something else.

    Returns:
        What it used, where its cost comes from, and whether the final usage is below the sum in some field.
    """
    if final is None:
        return reported, reported_source, False
    used, source = _effective(reported, reported_source, final, final_source)
    return used, source, _is_mismatch(reported, final, final_source)


def _effective(
    reported: UsageTotals, reported_source: CostSource, final: UsageTotals, final_source: CostSource
) -> tuple[UsageTotals, CostSource]:
    """The final where it speaks, else the sum, field by field.

    A partial final's total is effective input + effective output. A cost that the final only lets us estimate gives way
    to a sum that was reported at least in part, or that was estimated report by report for the same tokens.
    """
    pairs = zip(_read_totals(final), _read_totals(reported), strict=True)
    used = _totals(*(of_sum if of_final is None else of_final for of_final, of_sum in pairs))
    if final.total_tokens is None and (final.input_tokens is not None or final.output_tokens is not None):
        used = evolve(used, total_tokens=_plus(used.input_tokens, used.output_tokens))
    if final.cost_usd is None or (final_source != "reported" and _keeps_sum(reported, reported_source, used)):
        return evolve(used, cost_usd=reported.cost_usd), reported_source if reported.cost_usd is not None else "unknown"
    return used, final_source


def _keeps_sum(reported: UsageTotals, source: CostSource, used: UsageTotals) -> bool:
    if reported.cost_usd is None:
        return False
    same_tokens = (reported.input_tokens, reported.output_tokens) == (used.input_tokens, used.output_tokens)
    return source != "estimated" or same_tokens


def _is_mismatch(reported: UsageTotals, final: UsageTotals, final_source: CostSource) -> bool:
    """An estimate proves nothing."""
    cost_usd = final.cost_usd if final_source == "reported" else None
    if cost_usd is not None and reported.cost_usd is not None and cost_usd < reported.cost_usd:
        return True
    pairs = zip(_read_counts(final), _read_counts(reported), strict=True)
    return any(of_final is not None and of_sum is not None and of_final < of_sum for of_final, of_sum in pairs)


def add_model(models: tuple[str, ...], model: str | None) -> tuple[str, ...]:
    """Add a model's name to the sorted distinct ones."""
    if model is None or model in models:
        return models
    return tuple(sorted((*models, model))[:MAX_MODELS])
