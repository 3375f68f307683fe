"""Costs, told apart by how they are known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from runledger.analytics.cost_table import CostSums
from runledger.cli.costs import CostLine, Costs, add_up, costs_document, costs_table, remarks
from tests.unit.runledger.cli.build import HOSTILE, NOON, obeyed, printed

FIRST = CostSums({"reported": 2, "unknown": 1}, {"reported": Decimal("1.5")}, {"reported": 10, "unknown": 5}, 3)
SECOND = CostSums({"estimated": 1}, {"estimated": Decimal("0.25")}, {"estimated": 7}, 1)


def test_sums_of_several_projects_add_up_source_by_source() -> None:
    total = add_up([FIRST, SECOND, FIRST])
    assert (total.all_runs, total.total_usd, total.total_tokens) == (7, Decimal("3.25"), 37)
    assert total.runs == {"reported": 4, "unknown": 2, "estimated": 1}
    assert add_up([]).total_usd is None


def test_each_source_has_a_column_and_the_last_line_is_the_total() -> None:
    lines = [CostLine("sage", FIRST), CostLine(HOSTILE, SECOND)]
    costs = Costs(NOON - timedelta(days=1), NOON, "agent", lines, add_up(line.sums for line in lines))
    shown = printed(costs_table(costs), 120)
    assert obeyed(shown) == []
    assert shown.splitlines()[0].split() == ["agent", "runs", "tokens", "reported", "estimated", "cost", "unknown"]
    assert shown.splitlines()[1].split() == ["sage", "3", "15", "$1.50", "$1.50", "1", "run"]
    assert shown.splitlines()[-1].split() == ["total", "4", "22", "$1.50", "$0.2500", "$1.75", "1", "run"]


def test_what_is_in_no_sum_is_said() -> None:
    assert list(remarks(FIRST)) == ["What 1 run cost, with 5 tokens, is unknown, and in no sum."]
    assert list(remarks(SECOND)) == []


def test_programs_tell_who_named_none_and_the_others_from_an_agent_of_such_a_name() -> None:
    lines = [CostLine("(others)", FIRST), CostLine(None, SECOND), CostLine(None, FIRST, others=True)]
    costs = Costs(NOON - timedelta(days=1), NOON, "agent", lines, add_up(line.sums for line in lines))
    groups: Any = costs_document(costs)["groups"]
    assert [(group["agent"], group["others"]) for group in groups] == [("(others)", False), (None, False), (None, True)]
    shown = printed(costs_table(costs), 120)
    assert [line.split("  ")[0] for line in shown.splitlines()[1:4]] == ["(others)", "(none named)", "(others)"]
