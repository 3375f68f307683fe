"""The first page: a project at a glance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from runledger.analytics.dashboard.charts.svg import element
from runledger.analytics.dashboard.charts.week import DayBar, draw_week
from runledger.analytics.dashboard.desk import Desk, Model, TheDesk, Viewer
from runledger.analytics.dashboard.rendering import Place
from runledger.analytics.days import day_start, find_zone
from runledger.analytics.errors import ReadUnavailableError
from runledger.analytics.intelligence import AgentCard, CardRow, make_card
from runledger.analytics.overview import NewestRun, Overview, read_overview
from runledger.analytics.reader import LedgerReader
from runledger.analytics.readings import CostReading, RunCosts
from runledger.analytics.verdicts import AgentState, AuditedAgent

PLACE = Place("Overview", "/")
STATES: tuple[AgentState, ...] = ("failing", "silent", "quiet", "never_reported", "expected", "healthy", "retired")
"""The worst first."""
MOST_MODELS = 6
_READ_MODELS = 50
MOST_FINDINGS = 8
router = APIRouter()


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What runs of some models cost today."""

    name: str
    cost_usd: Decimal | None
    share: float
    """Of the dearest, 0 to 1: how long its bar is."""
    runs: int
    total_tokens: int | None


@dataclass(frozen=True, slots=True)
class EventCard:
    """An agent's newest run, and how the agent does."""

    card: AgentCard
    run_id: UUID
    silent: bool
    state: AgentState


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """What the page shows."""

    overview: Overview
    completed_chart: Markup
    quality_chart: Markup
    quality_change: float | None
    """Against the seven days before; None where one of both is unknown."""
    states_chart: Markup
    states: list[tuple[AgentState, int]]
    """How many agents are in each state, the worst first; states without agents are left out."""
    found: list[AuditedAgent]
    """The agents that need somebody, the worst first; the first of them."""
    found_count: int
    costs: RunCosts | None
    """Of today; None where there are too many runs to add them up in time."""
    models: list[ModelCost]
    other_models: int
    cards: list[EventCard]
    is_empty: bool
    """No agent was ever heard of."""

    @property
    def cost_usd(self) -> Decimal | None:
        """What is known of today's cost: nothing where nothing ran, None where nobody knows."""
        if self.costs is None:
            return None
        return self.costs.total.cost_usd if self.costs.total.runs else Decimal(0)


@router.get(PLACE.path)
async def show_overview(request: Request, desk: TheDesk, viewer: Viewer) -> Response:
    """Show the project at a glance."""

    async def read() -> Model:
        overview = await read_overview(desk.database, viewer.project_key, desk.time_zone)
        return {"page": make_page(overview, await _costs_today(desk, viewer.project_key))}

    return await desk.page(request, viewer, "overview.html", read)


async def _costs_today(desk: Desk, project_key: str) -> RunCosts | None:
    """Add up the day's costs: the more runs, the longer that takes, so it is done apart and more seldom."""
    since = day_start(datetime.now(UTC), find_zone(desk.time_zone))

    async def ask() -> RunCosts | None:
        try:
            return await LedgerReader(desk.database).run_costs(project_key, since, "model", _READ_MODELS)
        except ReadUnavailableError:
            return None  # the rest of the page can be read, or says itself that it cannot

    return await desk.costs.get((project_key, since), ask)


def make_page(overview: Overview, costs: RunCosts | None) -> OverviewPage:
    """Choose what is shown of a project."""
    agents = overview.audit.agents
    counted = Counter(agent.state for agent in agents)
    found = sorted(overview.audit.found, key=lambda agent: STATES.index(agent.state))
    states = [(state, counted[state]) for state in STATES if counted[state]]
    state_of = {agent.agent_id: agent.state for agent in agents}
    quality = overview.quality
    groups = [] if costs is None else costs.groups
    both = quality.mean_score is not None and quality.mean_before is not None
    return OverviewPage(
        overview=overview,
        completed_chart=_draw_completed(overview),
        quality_chart=_draw_quality(overview),
        quality_change=(quality.mean_score or 0) - (quality.mean_before or 0) if both else None,
        states_chart=draw_states(states),
        states=states,
        found=found[:MOST_FINDINGS],
        found_count=len(found),
        costs=costs,
        models=weigh_models(groups[:MOST_MODELS]),
        other_models=max(0, len(groups) - MOST_MODELS),
        cards=[_card(run, overview, state_of) for run in overview.newest],
        is_empty=not agents and not overview.newest,
    )


def weigh_models(groups: list[CostReading]) -> list[ModelCost]:
    """Give each group of models the length of its bar."""
    dearest = max((group.cost_usd or Decimal(0) for group in groups), default=Decimal(0))
    return [
        ModelCost(
            name=" + ".join(group.models) if group.models else "no model named",
            cost_usd=group.cost_usd,
            share=float(group.cost_usd / dearest) if group.cost_usd and dearest else 0.0,
            runs=group.runs,
            total_tokens=group.total_tokens,
        )
        for group in groups
    ]


def _card(run: NewestRun, overview: Overview, state_of: dict[str, AgentState]) -> EventCard:
    row = CardRow(run.agent_id, run.name, run.role, run.action_summary, run.status, run.ended_at)
    card = make_card(row, overview.audit.pipeline.read_at)
    return EventCard(card, run.run_id, run.silent, state_of.get(run.agent_id, "healthy"))


def _draw_completed(overview: Overview) -> Markup:
    bars = [DayBar(day.day, day.success, f"{day.success:,} of {day.runs:,}") for day in overview.days]
    return draw_week(bars, "Tasks completed by day")


def _draw_quality(overview: Overview) -> Markup:
    bars = [DayBar(day.day, day.mean_score, _say_score(day.mean_score)) for day in overview.days]
    return draw_week(bars, "Mean score by day", most=1)


def _say_score(score: float | None) -> str:
    return "no score" if score is None else f"{score:.2f}"


def draw_states(states: list[tuple[AgentState, int]]) -> Markup:
    """Draw how many agents are in each state as one bar in parts; the legend beside it says the same."""
    total = sum(number for _, number in states)
    parts, left = [], 0.0
    for state, number in states:
        width = 100 * number / total
        parts.append(element("rect", class_=f"part-{state}", x=left, y=0, width=max(0.5, width - 0.4), height=8))
        left += width
    return element("svg", *parts, class_="parts", viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true")
