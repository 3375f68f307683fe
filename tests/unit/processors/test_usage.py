"""Sums, finals and where a cost comes from."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest

from runledger.processors.usage import (
    MAX_COST_USD,
    MAX_MODELS,
    add_model,
    add_report,
    final_totals,
    sum_up,
)
from runledger.schemas.usage import CostSource, TokenUsage, UsageTotals
from runledger.schemas.values import MAX_INTEGER
from tests.unit.processors.histories import NOON, flat_price

REPORTED = TokenUsage(input_tokens=100, output_tokens=50, cost_usd=Decimal("0.5"))
ESTIMATED = TokenUsage(input_tokens=100, output_tokens=50, model="flat")
UNKNOWN = TokenUsage(input_tokens=100, output_tokens=50)
SILENT = TokenUsage(model="flat", llm_calls=1)


def add_all(usages: tuple[TokenUsage, ...]) -> tuple[UsageTotals, CostSource]:
    total = UsageTotals()
    source: CostSource = "unknown"
    for usage in usages:
        total, source = add_report(total, source, usage, NOON, flat_price)
    return total, source


@pytest.mark.parametrize(
    ("usages", "cost_usd", "source"),
    [
        ((REPORTED,), "0.5", "reported"),
        ((ESTIMATED,), "1.5", "estimated"),
        ((UNKNOWN,), None, "unknown"),
        ((SILENT,), None, "unknown"),
        ((), None, "unknown"),
        ((REPORTED, REPORTED), "1", "reported"),
        ((ESTIMATED, ESTIMATED, SILENT), "3", "estimated"),
        ((REPORTED, ESTIMATED), "2", "mixed"),
        ((REPORTED, UNKNOWN), "0.5", "mixed"),
        ((UNKNOWN, UNKNOWN), None, "unknown"),
        ((REPORTED, ESTIMATED, ESTIMATED, SILENT), "3.5", "mixed"),
        ((TokenUsage(cost_usd=Decimal(0)),), "0", "reported"),
        ((TokenUsage(input_tokens=0, output_tokens=0, model="flat"), REPORTED), "0.5", "reported"),
    ],
)
def test_costs_add_up_and_say_where_they_come_from(
    usages: tuple[TokenUsage, ...], cost_usd: str | None, source: str
) -> None:
    for order in permutations(usages):
        total, found = add_all(order)
        assert (total.cost_usd, found) == (None if cost_usd is None else Decimal(cost_usd), source)


@pytest.mark.parametrize(
    ("usage", "total_tokens"),
    [
        (TokenUsage(input_tokens=3, output_tokens=4), 7),
        (TokenUsage(input_tokens=3, output_tokens=4, total_tokens=9), 9),
        (TokenUsage(input_tokens=3), 3),
        (TokenUsage(output_tokens=4), 4),
        (TokenUsage(llm_calls=1), None),
    ],
)
def test_a_missing_total_is_what_is_known_of_input_and_output(usage: TokenUsage, total_tokens: int | None) -> None:
    assert add_all((usage,))[0].total_tokens == total_tokens


def test_a_sum_stays_at_the_largest_count_every_reader_can_hold() -> None:
    most = TokenUsage(input_tokens=MAX_INTEGER, output_tokens=MAX_INTEGER, cost_usd=MAX_COST_USD)
    total, _ = add_all((most, most))
    assert (total.input_tokens, total.total_tokens, total.cost_usd) == (MAX_INTEGER, MAX_INTEGER, MAX_COST_USD)


def use(reports: tuple[TokenUsage, ...], final: TokenUsage | None) -> tuple[UsageTotals, CostSource]:
    used, source, _ = sum_up(*add_all(reports), *final_totals(final, NOON, flat_price))
    return used, source


def mismatches(report: TokenUsage, final: TokenUsage | None) -> bool:
    return sum_up(*add_all((report,)), *final_totals(final, NOON, flat_price))[2]


def test_a_field_left_out_of_the_final_keeps_the_sum() -> None:
    used, source = use((REPORTED,), TokenUsage(llm_calls=7))
    assert used == UsageTotals(100, 50, 150, Decimal("0.5"), 7)
    assert source == "reported"


@pytest.mark.parametrize(
    ("final", "total_tokens"),
    [
        (TokenUsage(input_tokens=300, output_tokens=60), 360),
        (TokenUsage(input_tokens=300), 350),
        (TokenUsage(output_tokens=60), 160),
        (TokenUsage(input_tokens=300, total_tokens=999), 999),
        (TokenUsage(llm_calls=1), 150),
    ],
)
def test_the_total_of_a_final(final: TokenUsage, total_tokens: int) -> None:
    assert use((REPORTED,), final)[0].total_tokens == total_tokens


@pytest.mark.parametrize(
    ("reports", "final", "cost_usd", "source"),
    [
        ((), None, None, "unknown"),
        ((REPORTED,), TokenUsage(cost_usd=Decimal(2)), "2", "reported"),
        ((ESTIMATED,), TokenUsage(cost_usd=Decimal(2)), "2", "reported"),
        ((), TokenUsage(input_tokens=200, output_tokens=0, model="flat"), "2", "estimated"),
        ((UNKNOWN,), TokenUsage(input_tokens=200, output_tokens=0, model="flat"), "2", "estimated"),
        ((REPORTED,), TokenUsage(input_tokens=200, output_tokens=0, model="flat"), "0.5", "reported"),
        ((REPORTED, ESTIMATED), TokenUsage(input_tokens=900, output_tokens=0, model="flat"), "2", "mixed"),
        ((ESTIMATED,), TokenUsage(input_tokens=200, output_tokens=100, model="flat"), "3", "estimated"),
        ((ESTIMATED,), TokenUsage(input_tokens=100, output_tokens=50, model="flat"), "1.5", "estimated"),
        ((ESTIMATED,), TokenUsage(input_tokens=200, output_tokens=100, model="other"), "1.5", "estimated"),
        ((UNKNOWN,), TokenUsage(input_tokens=200, output_tokens=100, model="other"), None, "unknown"),
    ],
)
def test_the_cost_of_a_run_with_a_final(
    reports: tuple[TokenUsage, ...], final: TokenUsage | None, cost_usd: str | None, source: str
) -> None:
    used, found = use(reports, final)
    assert (used.cost_usd, found) == (None if cost_usd is None else Decimal(cost_usd), source)


@pytest.mark.parametrize(
    ("final", "mismatch"),
    [
        (None, False),
        (TokenUsage(), False),
        (TokenUsage(input_tokens=100, output_tokens=50, total_tokens=150, cost_usd=Decimal("0.5")), False),
        (TokenUsage(input_tokens=99), True),
        (TokenUsage(total_tokens=149), True),
        (TokenUsage(cost_usd=Decimal("0.4999999999")), True),
        (TokenUsage(cost_usd=Decimal(1), llm_calls=1), False),
        (TokenUsage(input_tokens=100, output_tokens=49), True),
    ],
)
def test_a_final_below_the_sum_in_any_field_is_a_mismatch(final: TokenUsage | None, mismatch: bool) -> None:
    assert mismatches(REPORTED, final) is mismatch


def test_an_estimated_final_below_a_reported_cost_is_no_mismatch() -> None:
    dear = TokenUsage(input_tokens=1, output_tokens=1, cost_usd=Decimal(9))
    cheap = TokenUsage(input_tokens=1, output_tokens=1, model="flat")
    assert not mismatches(dear, cheap)


def test_models_are_sorted_distinct_and_bounded() -> None:
    models: tuple[str, ...] = ()
    for name in ["b", "a", None, "b"]:
        models = add_model(models, name)
    assert models == ("a", "b")
    for number in range(100):
        models = add_model(models, f"m{number:03}")
    assert len(models) == MAX_MODELS
    assert models[:3] == ("a", "b", "m000")
