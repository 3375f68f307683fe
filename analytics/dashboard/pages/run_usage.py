"""Explain a run's usage: what its reports add up to, what its end states, which counts, and of which model it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from runledger.analytics.readings import RunReading
from runledger.analytics.run_account import ModelReading, UsageReading

_FIELDS = (
    ("input_tokens", "Input tokens"),
    ("output_tokens", "Output tokens"),
    ("total_tokens", "Total tokens"),
    ("cache_read_tokens", "Read from a cache"),
    ("cache_write_tokens", "Written to a cache"),
    ("reasoning_tokens", "Reasoning tokens"),
    ("llm_calls", "Model calls"),
    ("cost_usd", "Cost"),
)
COST_SOURCES = {
    "reported": "as the agent reported it",
    "estimated": "estimated from public prices",
    "mixed": "reported in part, the rest estimated or unknown",
    "unknown": "nothing is known of it",
}


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One figure, by both accounts; None is unknown."""

    title: str
    is_money: bool
    reported: int | Decimal | None
    final: int | Decimal | None
    used: int | Decimal | None
    differs: bool
    """Both say something, and not the same."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What one model used."""

    model: str | None
    reports: int
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    llm_calls: int | None
    cost_usd: Decimal | None
    share: float | None
    """Of the tokens that are known, 0 to 1."""
    unpriced: int
    """Reports of it that state no cost, and for which none was estimated here."""
    is_estimated: bool
    """Its cost was estimated, in part or wholly."""


@dataclass(frozen=True, slots=True)
class UsageView:
    """A run's usage.

    Args:
        rows: figures of which anything is known.
        has_final: its end states a usage.
        explanation: which of the two counts, and why, in sentences.
        doubts: what does not fit, in sentences.
        models: by model, most tokens first.
        estimated_usd: part of the reports' cost that was estimated, and so stands with no model.
        end_model: the model that the end names.
    """

    rows: list[UsageRow]
    has_final: bool
    explanation: str
    doubts: list[str]
    models: list[ModelRow]
    estimated_usd: Decimal | None
    end_model: str | None


def explain_usage(run: RunReading, usage: UsageReading, models: Sequence[ModelReading]) -> UsageView:
    """Put a run's usage into rows and words."""
    final = usage.final
    rows = [_row(run, usage.reported, final or {}, *field) for field in _FIELDS]
    known = [row for row in rows if not row.reported is row.final is row.used is None]
    told = [model for model in models if not model.at_end]
    reports = sum(model.reports for model in told)
    stated = [model.stated_cost_usd for model in told if model.stated_cost_usd is not None]
    estimated = _estimated(_figure(usage.reported, "cost_usd"), stated)
    return UsageView(
        rows=known,
        has_final=final is not None,
        explanation=_explanation(run, known, final, reports),
        doubts=_doubts(run, known, usage),
        models=_models(told, estimated),
        # Where one model alone has reports without a cost, it was that one's.
        estimated_usd=estimated if len(_unpriced(told)) > 1 else None,
        end_model=next((model.model for model in models if model.at_end), None),
    )


def _row(run: RunReading, reported: Mapping[str, Any], final: Mapping[str, Any], name: str, title: str) -> UsageRow:
    first, last = _figure(reported, name), _figure(final, name)
    differs = first is not None and last is not None and first != last
    return UsageRow(title, name == "cost_usd", first, last, getattr(run, name), differs)


def _figure(totals: Mapping[str, Any], name: str) -> int | Decimal | None:
    value = totals.get(name)
    if value is None:
        return None
    return Decimal(str(value)) if name == "cost_usd" else int(value)


def _explanation(run: RunReading, rows: list[UsageRow], final: Mapping[str, Any] | None, reports: int) -> str:
    if not rows:
        return "Nobody has said what this run used."
    if final is None:
        if run.ended_at is None:
            return "The run goes on: this is the sum of its reports so far. Its end may state another total."
        return "The end states no usage, so the sum of the reports counts."
    if not reports:
        return "No usage was reported on the way: the end states all of it."
    if not any(row.differs for row in rows):
        return "The end states what the reports add up to."
    return (
        "The end states the run's total, and that counts, figure by figure; where it says nothing, the sum of the "
        "reports does."
    )


def _doubts(run: RunReading, rows: list[UsageRow], usage: UsageReading) -> list[str]:
    doubts = []
    if run.usage_mismatch:
        below = [row for row in rows if row.reported is not None and row.final is not None and row.final < row.reported]
        # A cost of our own estimate proves nothing (docs/ledger.md, "What a run used").
        named = [row.title.lower() for row in below if not row.is_money or usage.reported_cost_source == "reported"]
        of = f" of {_listed(named)}" if named else ""
        doubts.append(
            f"The end states less{of} than the reports add up to: something was reported twice, or the end left it out."
        )
    if run.late_events:
        doubts.append(
            "Some events came after the run had left the processors' memory. They are in the timeline and in the table "
            "by model, and in no total."
        )
    return doubts


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _estimated(reported_usd: int | Decimal | None, stated: list[Decimal]) -> Decimal | None:
    """Say how much of the reports' cost nobody stated; None where there is nothing of the kind."""
    rest = Decimal(reported_usd or 0) - sum(stated, Decimal(0))
    return rest if rest > 0 else None


def _unpriced(told: Sequence[ModelReading]) -> list[ModelReading]:
    return [model for model in told if model.reports_with_cost < model.reports]


def _models(told: Sequence[ModelReading], estimated: Decimal | None) -> list[ModelRow]:
    """Put models into rows. What was estimated is of the one that has reports without a cost, if it is one alone."""
    tokens = sum(model.total_tokens or 0 for model in told)
    rows = []
    for model in told:
        cost_usd, unpriced = model.stated_cost_usd, model.reports - model.reports_with_cost
        is_estimated = estimated is not None and _unpriced(told) == [model]
        if estimated is not None and is_estimated:
            cost_usd, unpriced = (cost_usd or Decimal(0)) + estimated, 0
        share = model.total_tokens / tokens if model.total_tokens is not None and tokens else None
        rows.append(
            ModelRow(
                model.model,
                model.reports,
                model.input_tokens,
                model.output_tokens,
                model.total_tokens,
                model.llm_calls,
                cost_usd,
                share,
                unpriced,
                is_estimated,
            )
        )
    return rows
