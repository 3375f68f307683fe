"""A run's usage in rows and words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runledger.analytics.dashboard.pages.run_usage import UsageView, explain_usage
from tests.unit.analytics.dashboard.runs import NOON, model, run, usage

REPORTED = {"input_tokens": 8400, "output_tokens": 1200, "total_tokens": 9600, "cost_usd": "0.028", "llm_calls": 3}


def rows(view: UsageView) -> dict[str, tuple[Any, Any, Any, bool]]:
    """Return (reported, final, used, differs) by title."""
    return {row.title: (row.reported, row.final, row.used, row.differs) for row in view.rows}


def test_the_final_usage_stands_beside_the_sum_and_differences_are_marked() -> None:
    final = {"input_tokens": 12_400, "output_tokens": 1200, "cost_usd": "0.042"}
    counts = {"input_tokens": 12_400, "output_tokens": 1200, "total_tokens": 13_600, "cost_usd": Decimal("0.042")}
    view = explain_usage(run(ended_at=NOON, llm_calls=3, **counts), usage(REPORTED, final), [model()])
    assert rows(view) == {
        "Input tokens": (8400, 12_400, 12_400, True),
        "Output tokens": (1200, 1200, 1200, False),
        "Total tokens": (9600, None, 13_600, False),
        "Model calls": (3, None, 3, False),
        "Cost": (Decimal("0.028"), Decimal("0.042"), Decimal("0.042"), True),
    }
    assert "figure by figure" in view.explanation
    assert view.doubts == []


def test_equal_costs_written_with_other_places_do_not_differ() -> None:
    view = explain_usage(run(), usage({"cost_usd": "0.0280000000"}, {"cost_usd": "0.028"}), [model()])
    assert not any(row.differs for row in view.rows)
    assert view.explanation == "The end states what the reports add up to."


@pytest.mark.parametrize(
    ("ended", "reported", "final", "reports", "words"),
    [
        (True, None, None, 0, "Nobody has said"),
        (False, REPORTED, None, 1, "The run goes on"),
        (True, REPORTED, None, 1, "The end states no usage"),
        (True, None, REPORTED, 0, "No usage was reported on the way"),
    ],
)
def test_it_is_explained_which_account_counts(
    ended: bool,
    reported: dict[str, Any] | None,
    final: dict[str, Any] | None,
    reports: int,
    words: str,
) -> None:
    told = [model()] * reports
    view = explain_usage(run(ended_at=NOON if ended else None), usage(reported, final), told)
    assert view.explanation.startswith(words)


def test_a_final_below_the_sum_is_doubted_by_name() -> None:
    view = explain_usage(
        run(usage_mismatch=True),
        usage(REPORTED, {"input_tokens": 8000, "llm_calls": 2, "output_tokens": 9000}),
        [model()],
    )
    assert ["input tokens and model calls" in doubt for doubt in view.doubts] == [True]


def test_an_estimate_of_ours_proves_nothing_against_the_end() -> None:
    figures = usage(REPORTED, {"cost_usd": "0.001", "input_tokens": 1}, reported_cost_source="estimated")
    [doubt] = explain_usage(run(usage_mismatch=True), figures, [model()]).doubts
    assert "of input tokens than" in doubt


def test_late_events_are_told() -> None:
    [doubt] = explain_usage(run(late_events=True), usage(REPORTED), [model()]).doubts
    assert "in no total" in doubt


def test_models_have_their_share_of_the_tokens() -> None:
    told = [model("a", total_tokens=300), model("b", total_tokens=100), model(None), model("end", at_end=True)]
    view = explain_usage(run(), usage(REPORTED), told)
    assert [(row.model, row.share) for row in view.models] == [("a", 0.75), ("b", 0.25), (None, None)]
    assert view.end_model == "end"


def test_what_was_estimated_is_of_the_one_model_without_a_stated_cost() -> None:
    stated = model("a", stated_cost_usd=Decimal("0.02"), reports_with_cost=1)
    view = explain_usage(run(), usage({"cost_usd": "0.05"}), [stated, model("b")])
    assert [(row.cost_usd, row.is_estimated, row.unpriced) for row in view.models] == [
        (Decimal("0.02"), False, 0),
        (Decimal("0.03"), True, 0),
    ]
    assert view.estimated_usd is None


def test_what_was_estimated_for_several_models_stands_apart() -> None:
    part = model("a", stated_cost_usd=Decimal("0.02"), reports=2, reports_with_cost=1)
    view = explain_usage(run(), usage({"cost_usd": "0.05"}), [part, model("b")])
    assert [(row.cost_usd, row.is_estimated, row.unpriced) for row in view.models] == [
        (Decimal("0.02"), False, 1),
        (None, False, 1),
    ]
    assert view.estimated_usd == Decimal("0.03")


def test_a_run_without_usage_has_no_rows() -> None:
    view = explain_usage(run(), usage(), [])
    assert (view.rows, view.models, view.estimated_usd, view.end_model) == ([], [], None, None)
