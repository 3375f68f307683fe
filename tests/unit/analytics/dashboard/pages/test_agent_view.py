"""What an agent's own page shows."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from runledger.analytics.agent_usage import AgentCosts
from runledger.analytics.cost_table import CostPeriod, CostSource, CostSums, CostTable
from runledger.analytics.dashboard.pages.agent_question import AgentQuestion
from runledger.analytics.dashboard.pages.agent_view import AgentPage, make_page
from runledger.analytics.incident_list import ListedIncident
from runledger.analytics.paging import Page
from tests.unit.analytics.dashboard.agents import NOON, agent, outcome, run_id, story
from tests.unit.analytics.dashboard.charts.shapes import of_class, parse, titles

MONDAY = date(2026, 3, 2)


def _sums(tokens: int | None = None, **costs: str | None) -> CostSums:
    """One run of each source, {source: cost}."""
    named: dict[CostSource, str | None] = dict(costs)  # type: ignore[assignment]  # the tests' own words
    return CostSums(
        runs=dict.fromkeys(named, 1),
        cost_usd={source: Decimal(cost) for source, cost in named.items() if cost is not None},
        tokens={} if tokens is None else {"reported": tokens},
        runs_with_tokens=0 if tokens is None else 1,
    )


def _costs(total: CostSums, *periods: tuple[date, CostSums]) -> AgentCosts:
    days = [MONDAY + timedelta(days=number) for number in range(7)]
    return AgentCosts(days, CostTable(total, [CostPeriod(*period) for period in periods], [], None))


def _page(costs: AgentCosts | None = None, incidents: Any = (), **told: Any) -> AgentPage:  # noqa: ANN401  # of `story`
    about = story(told.pop("about", agent("sage", name="Sage")), **told)
    return make_page(about, costs, Page(list(incidents), None), [], AgentQuestion(within="7d"))


def test_the_last_runs_are_told_the_newest_first() -> None:
    page = _page(outcomes=[outcome(1), outcome(2, action_summary=" \n", started_at=None)])
    assert [line.outcome.run_id for line in page.outcomes] == [run_id(2), run_id(1)]
    assert [(line.summary, line.took) for line in page.outcomes] == [(None, None), ("did it", timedelta(seconds=30))]
    assert page.strip_words == "The last 2 runs: 2 success."
    assert [bar.attrib["href"] for bar in parse(page.run_costs).iter("a")][:2] == [
        f"/runs/{run_id(1)}",
        f"/runs/{run_id(2)}",
    ]


def test_a_clock_that_went_back_makes_no_time_below_nothing() -> None:
    (line,) = _page(outcomes=[outcome(1, started_at=NOON + timedelta(days=1))]).outcomes
    assert line.took == timedelta(0)


def test_costs_are_told_apart_by_how_they_are_known() -> None:
    tuesday = MONDAY + timedelta(days=1)
    costs = _costs(
        _sums(reported="3", estimated="1", unknown=None),
        (MONDAY, _sums(reported="3", estimated="1")),
        (tuesday, _sums(unknown=None)),
    )
    chart = parse(_page(costs).costs_chart)
    assert ["".join(key.itertext()) for key in of_class(chart, "legend")[0]] == ["reported", "estimated"]
    said = titles(chart)
    assert said[1] == "Mon 02 Mar 2026: $4.00 (reported $3.00, estimated $1.00)"
    assert said[2] == "Tue 03 Mar 2026: unknown; 1 of 1 runs of unknown cost"
    assert said[3] == "Wed 04 Mar 2026: $0.00"


def test_a_day_without_runs_used_nothing_and_one_that_says_nothing_is_unknown() -> None:
    costs = _costs(
        _sums(tokens=1_500), (MONDAY, _sums(tokens=1_500)), (MONDAY + timedelta(days=1), _sums(unknown=None))
    )
    said = titles(parse(_page(costs).tokens_chart))
    assert said[1:4] == ["Mon 02 Mar 2026: 1,500", "Tue 03 Mar 2026: unknown", "Wed 04 Mar 2026: 0"]


def test_years_begin_with_the_first_month_in_which_something_ran() -> None:
    months = [date(2021 + number // 12, number % 12 + 1, 1) for number in range(60)]
    costs = AgentCosts(months, CostTable(_sums(reported="1"), [CostPeriod(months[40], _sums(reported="1"))], [], None))
    page = make_page(story(agent()), costs, Page([], None), [], AgentQuestion(within="5y"))
    assert titles(parse(page.costs_chart))[1] == "May 2024: $1.00"
    assert len(of_class(parse(page.costs_chart), "bar")) == 20
    fresh = AgentCosts(months, CostTable(_sums(reported="1"), [CostPeriod(months[59], _sums(reported="1"))], [], None))
    page = make_page(story(agent()), fresh, Page([], None), [], AgentQuestion(within="5y"))
    assert len(of_class(parse(page.costs_chart), "bar")) == 12


def test_an_incident_lasts_until_it_is_over() -> None:
    over = ListedIncident(
        run_id(9), "sage", "failing", "recovered", 3, run_id(1), NOON, NOON + timedelta(hours=2), run_id(2)
    )
    still = ListedIncident(run_id(8), "sage", "silent", "open", 3, run_id(1), NOON, None, None)
    assert [line.lasted for line in _page(incidents=[over, still]).incidents] == [timedelta(hours=2), None]


def test_while_costs_are_added_up_the_rest_is_there() -> None:
    page = _page(None, about=agent("nova", role="Security", findings=("failing",), consecutive_failure_count=3))
    assert (page.costs, page.costs_chart, page.tokens_chart) == (None, "", "")
    assert (page.title, page.subtitle) == ("nova", "Security")
    assert [advice.finding for advice in page.advice] == ["failing"]
