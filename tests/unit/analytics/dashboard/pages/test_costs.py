"""What the page of costs shows of a table of costs."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from runledger.analytics.cost_table import CostGroup, CostPeriod, CostSums, CostTable
from runledger.analytics.dashboard.pages.cost_question import CostsQuestion, span_of
from runledger.analytics.dashboard.pages.costs import CostsPage, make_page

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SUMS = CostSums(
    {"reported": 2, "estimated": 1, "unknown": 3},
    {"reported": Decimal("3.75"), "estimated": Decimal("1.25")},
    {"reported": 10, "estimated": 5, "unknown": 0},
    3,
)
UNKNOWN = CostSums({"unknown": 1}, {}, {"unknown": 0}, 0)
TABLE = CostTable(
    SUMS,
    [CostPeriod(date(2026, 3, 2), SUMS), CostPeriod(date(2026, 3, 4), UNKNOWN)],
    [CostGroup("sage", None, SUMS), CostGroup(None, None, UNKNOWN)],
    None,
)


def page(table: CostTable = TABLE, **asked: object) -> CostsPage:
    question = CostsQuestion.model_validate({"days": "3", **asked})
    return make_page(question, span_of(question, "UTC", NOW), table, ["sage"])


def test_the_chart_s_table_tells_every_day_and_unknown_from_nothing() -> None:
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", str(page().cost_chart))
    told = [re.sub(r"<[^>]+>", " ", row).split() for row in rows]
    assert told == [
        ["Wed", "2026-03-04", "unknown", "unknown", "unknown", "and", "1", "run", "of", "unknown", "cost"],
        ["Tue", "2026-03-03", "$0.00", "$0.00", "$0.00"],
        ["Mon", "2026-03-02", "$3.75", "$1.25", "$5.00", "and", "3", "runs", "of", "unknown", "cost"],
    ]


def test_a_bar_is_in_parts_by_how_the_cost_is_known() -> None:
    sage, nameless = page().lines
    assert sage.parts == [("first", 0.0, 75.0), ("second", 75.0, 25.0)]
    assert (nameless.name, nameless.parts, nameless.address) == ("no agent named", [], None)


def test_a_group_leads_to_its_own_costs_and_a_filter_away_from_them() -> None:
    assert page().lines[0].address == "/costs?days=3&agent=sage&group_by=model"
    assert page(agent="sage").filters == [("agent", "sage", "/costs?days=3")]
    models = CostTable(SUMS, [], [CostGroup(None, ("m",), SUMS), CostGroup(None, ("m", "n"), SUMS)], None)
    one, several = page(models, group_by="model").lines
    assert (one.name, one.address) == ("m", "/costs?days=3&model=m")
    assert (several.name, several.address) == ("m + n", None)


def test_the_chosen_span_and_grouping_are_marked_and_the_others_are_links() -> None:
    shown = page(days="7", group_by="model")
    assert [choice.title for choice in shown.spans if choice.is_chosen] == ["7 days"]
    assert [choice.address for choice in shown.spans][:3] == [
        "/costs?days=1&group_by=model",
        "/costs?days=7&group_by=model",
        "/costs?group_by=model",
    ]
    assert [choice.is_chosen for choice in shown.groupings] == [False, True]
    fixed = page(TABLE, days="", **{"from": "2026-03-01"})
    assert not any(choice.is_chosen for choice in fixed.spans)
    assert fixed.spans[0].address == "/costs?days=1"


def test_a_project_without_runs_has_empty_charts_that_say_so() -> None:
    nothing = page(CostTable(CostSums({}, {}, {}, 0), [], [], None))
    assert "No run of this time has a known cost." in nothing.cost_chart
    assert "No run ended in this time." in nothing.runs_chart
