"""What an agent's own page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from markupsafe import Markup

from runledger.analytics.agent_story import AgentOutcome, AgentStory
from runledger.analytics.agent_usage import AgentCosts
from runledger.analytics.cost_table import CostSource, CostSums, Step
from runledger.analytics.dashboard import formats
from runledger.analytics.dashboard.cells import kind_of, make_cells
from runledger.analytics.dashboard.charts import Amount, Bar, BarChart, Series, draw_bars, draw_large_strip, money_ticks
from runledger.analytics.dashboard.charts.strip import PLACES, CellKind, say_strip
from runledger.analytics.dashboard.findings import Advice, advise
from runledger.analytics.dashboard.pages.agent_question import SPANS, AgentQuestion
from runledger.analytics.dashboard.rendering import link
from runledger.analytics.dashboard.words import line, plain
from runledger.analytics.incident_list import ListedIncident
from runledger.analytics.paging import Page
from runledger.analytics.run_list import ListedRun

_SUMMARY_CHARACTERS = 160
_SOURCES: tuple[tuple[CostSource, Series], ...] = (
    ("reported", Series("reported", "first")),
    ("estimated", Series("estimated", "second")),
    ("mixed", Series("partly estimated", "third")),
)


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One finished run."""

    outcome: AgentOutcome
    kind: CellKind
    took: timedelta | None
    """From start to end by the agent's own clock; None where that is unknown."""
    summary: str | None


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One incident."""

    incident: ListedIncident
    lasted: timedelta | None
    """None while it is open."""


@dataclass(frozen=True, slots=True)
class AgentPage:
    """What the page shows.

    Args:
        story: how the agent is judged, its last runs and what they failed by.
        title: its name, or its id.
        subtitle: its role, and its id where that is not the title.
        advice: what was found, and what to do.
        strip: its last runs, the newest at the right.
        strip_words: the same in a sentence.
        outcomes: the same, the newest first.
        run_costs: what each of them cost.
        running: runs that have not ended, those heard of last first; a few of them.
        question: how much of it.
        costs: what it used in the time that is asked for; None while that is being added up.
        costs_chart: by day or month.
        tokens_chart: likewise.
        incidents: the newest first.
        next_cursor: where the next page of them begins; None after the last.
    """

    story: AgentStory
    title: str
    subtitle: str
    advice: list[Advice]
    strip: Markup
    strip_words: str
    outcomes: list[OutcomeLine]
    run_costs: Markup
    running: list[ListedRun]
    question: AgentQuestion
    costs: AgentCosts | None
    costs_chart: Markup
    tokens_chart: Markup
    incidents: list[IncidentLine]
    next_cursor: str | None


def make_page(
    story: AgentStory,
    costs: AgentCosts | None,
    incidents: Page[ListedIncident],
    running: list[ListedRun],
    question: AgentQuestion,
) -> AgentPage:
    """Make what the page shows."""
    agent = story.agent
    step = SPANS[question.within][2]
    cells = make_cells(story.outcomes)
    return AgentPage(
        story=story,
        title=plain(agent.name or agent.agent_id),
        subtitle=plain(agent.role or ""),
        advice=advise(story),
        strip=draw_large_strip(cells),
        strip_words=say_strip(cells),
        outcomes=[_make_line(outcome) for outcome in reversed(story.outcomes)],
        run_costs=_draw_run_costs(story.outcomes),
        running=running,
        question=question,
        costs=costs,
        costs_chart=Markup("") if costs is None else _draw_costs(costs, step),
        tokens_chart=Markup("") if costs is None else _draw_tokens(costs, step),
        incidents=[_make_incident(incident) for incident in incidents.rows],
        next_cursor=incidents.next_cursor,
    )


def _make_line(outcome: AgentOutcome) -> OutcomeLine:
    took = None if outcome.started_at is None else max(timedelta(0), outcome.ended_at - outcome.started_at)
    return OutcomeLine(outcome, kind_of(outcome), took, line(outcome.action_summary, _SUMMARY_CHARACTERS))


def _make_incident(incident: ListedIncident) -> IncidentLine:
    over = incident.recovered_at
    return IncidentLine(incident, None if over is None else max(timedelta(0), over - incident.opened_at))


def _draw_run_costs(outcomes: Sequence[AgentOutcome]) -> Markup:
    bars = [
        Bar(
            label=f"{kind_of(outcome).replace('_', ' ')}, {formats.exact(outcome.ended_at)}",
            tick="newest" if outcome is outcomes[-1] else "oldest" if outcome is outcomes[0] else "",
            values=(outcome.cost_usd,),
            note="" if outcome.total_tokens is None else f"{outcome.total_tokens:,} tokens",
            href=link("/runs", outcome.run_id),
        )
        for outcome in outcomes
    ]
    return draw_bars(
        BarChart(
            "Cost per run",
            (Series("cost", "first"),),
            bars,
            _say_money,
            label_header="Run",
            say_ticks=money_ticks,
            places=PLACES,
            empty="These runs cost nothing." if bars else "No run has finished yet.",
        )
    )


def _draw_costs(costs: AgentCosts, step: Step) -> Markup:
    """Draw the cost by period; sources of which there is nothing have no place in the legend."""
    sums = _by_period(costs)
    used = [(source, series) for source, series in _SOURCES if costs.table.total.cost_usd.get(source)] or [_SOURCES[0]]
    bars = [
        _bar(period, step, tuple(_cost(sums.get(period), source) for source, _ in used), sums.get(period))
        for period in _worth_showing(costs, step)
    ]
    series = tuple(series for _, series in used)
    return draw_bars(BarChart(f"Cost by {step}", series, bars, _say_money, step.capitalize(), money_ticks))


def _draw_tokens(costs: AgentCosts, step: Step) -> Markup:
    sums = _by_period(costs)
    bars = [
        _bar(period, step, (0 if period not in sums else sums[period].total_tokens,), None)
        for period in _worth_showing(costs, step)
    ]
    series = (Series("tokens", "first"),)
    return draw_bars(BarChart(f"Tokens by {step}", series, bars, _say_count, step.capitalize(), whole=True))


def _worth_showing(costs: AgentCosts, step: Step) -> list[date]:
    """Return the periods; of years, from the first month on in which something ran, but a year at least."""
    if step == "day" or not costs.table.periods:
        return costs.periods
    first = min(costs.table.periods[0].begins_on, costs.periods[-12])
    return [period for period in costs.periods if period >= first]


def _by_period(costs: AgentCosts) -> dict[date, CostSums]:
    return {period.begins_on: period.sums for period in costs.table.periods}


def _cost(sums: CostSums | None, source: CostSource) -> Decimal | None:
    """Return what a period's runs cost by a source; unknown where the cost of every run is."""
    if sums is None:
        return Decimal(0)
    return sums.cost_usd.get(source, Decimal(0)) if sums.cost_usd else None


def _bar(period: date, step: Step, values: tuple[Amount | None, ...], sums: CostSums | None) -> Bar:
    unknown = 0 if sums is None else sums.runs.get("unknown", 0)
    note = "" if not unknown else f"{unknown:,} of {sums.all_runs:,} runs of unknown cost" if sums else ""
    if step == "month":
        return Bar(label=f"{period:%B %Y}", tick=f"{period:%b %Y}", values=values, note=note)
    return Bar(label=f"{period:%a %d %b %Y}", tick=f"{period.day} {period:%b}", values=values, note=note)


def _say_money(amount: Amount) -> str:
    return formats.dollars(Decimal(amount))


def _say_count(amount: Amount) -> str:
    return f"{amount:,}"
