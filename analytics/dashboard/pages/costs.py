"""What runs cost, by day and by agent or model; reported, estimated and unknown costs are always told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from runledger.analytics.agent_names import agent_names
from runledger.analytics.cost_table import COST_SOURCES, CostGroup, CostReader, CostSource, CostSums, CostTable
from runledger.analytics.dashboard.charts import Amount, Bar, BarChart, Series, Tone, draw_bars, money_ticks
from runledger.analytics.dashboard.desk import Model, TheDesk, Viewer
from runledger.analytics.dashboard.formats import dollars
from runledger.analytics.dashboard.pages.cost_question import SPANS, CostsQuestion, Span, cost_question, span_of
from runledger.analytics.dashboard.rendering import Place, link
from runledger.analytics.dashboard.words import plain

PLACE = Place("Costs", "/costs")
MOST_AGENTS = 500
_NAME_CHARACTERS = 80
_NONE = CostSums({}, {}, {}, 0)
TONES: Mapping[CostSource, Tone] = {"reported": "first", "estimated": "second", "mixed": "calm", "unknown": "third"}
ZONES = (
    "UTC",
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Africa/Johannesburg",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
"""Offered; any other may be typed."""
SAID: Mapping[CostSource, str] = {
    "reported": "told by the agents themselves",
    "estimated": "from tokens and the model's public price",
    "mixed": "in part told, in part estimated or unknown",
    "unknown": "in no sum: they tell no cost, and no tokens of a model with a known price",
}
router = APIRouter()


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One agent, or models that runs used together.

    Args:
        name: in words.
        sums: of its runs.
        parts: (tone, where it begins, how long it is) of its bar, in hundredths of the dearest group's.
        address: the page with runs of this group alone; None where no filter can say that.
    """

    name: str
    sums: CostSums
    parts: list[tuple[Tone, float, float]]
    address: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A link of which one is chosen."""

    title: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class CostsPage:
    """What the page shows.

    Args:
        asked: values of the form's fields.
        span: the days.
        total: of all runs.
        cost_chart: cost by period.
        runs_chart: runs by period, by how their cost is known.
        lines: groups, the dearest first.
        others: runs of all other groups.
        spans, groupings: links.
        agents: to choose from.
        filters: (what, value, address without it) of filters in force.
    """

    asked: CostsQuestion
    span: Span
    total: CostSums
    cost_chart: Markup
    runs_chart: Markup
    lines: list[GroupLine]
    others: CostSums | None
    spans: list[Choice]
    groupings: list[Choice]
    agents: list[str]
    filters: list[tuple[str, str, str]]


@router.get(PLACE.path)
async def show_costs(
    request: Request, desk: TheDesk, viewer: Viewer, asked: Annotated[CostsQuestion, Query()]
) -> Response:
    """Show costs."""
    if "" in request.query_params.values():
        # A form sends its empty fields, too: the address shall say what is asked, and nothing else.
        return RedirectResponse(link(PLACE.path, **asked.address()), 303)
    span = span_of(asked, asked.time_zone or desk.time_zone, datetime.now(UTC))

    async def read() -> Model:
        table = await CostReader(desk.database).read(cost_question(asked, span, viewer.project_key))
        agents = await agent_names(desk.database, viewer.project_key, MOST_AGENTS)
        page = make_page(asked, span, table, agents)
        return {"page": page, "sources": COST_SOURCES, "tones": TONES, "said": SAID, "zones": ZONES}

    return await desk.page(request, viewer, "costs.html", read)


def make_page(asked: CostsQuestion, span: Span, table: CostTable, agents: list[str]) -> CostsPage:
    """Put the page together."""
    return CostsPage(
        asked=asked,
        span=span,
        total=table.total,
        cost_chart=draw_bars(_cost_chart(asked, span, table)),
        runs_chart=draw_bars(_runs_chart(asked, span, table)),
        lines=_lines(asked, table.groups),
        others=table.others,
        spans=_spans(asked),
        groupings=[
            Choice(f"By {name}", _address(asked, group_by=None if name == "agent" else name), asked.group_by == name)
            for name in ("agent", "model")
        ],
        agents=[agent for agent in agents if agent == plain(agent)],
        filters=[
            (name, plain(value, _NAME_CHARACTERS), _address(asked, **{name: None}))
            for name, value in (("agent", asked.agent), ("model", asked.model))
            if value is not None
        ],
    )


def _address(asked: CostsQuestion, **other: str | None) -> str:
    """The address of the same page, asked otherwise; what is None is left out."""
    return link(PLACE.path, **{**asked.address(), **other})


def _spans(asked: CostsQuestion) -> list[Choice]:
    chosen = (asked.days or 30) if asked.from_ is None and asked.to is None else None
    fixed = {"from": None, "to": None}
    return [
        Choice(title, _address(asked, **fixed, days=None if days == 30 else str(days)), chosen == days)  # noqa: PLR2004  # the default
        for days, title in SPANS.items()
    ]


def _cost_chart(asked: CostsQuestion, span: Span, table: CostTable) -> BarChart:
    sources = _shown_sources(table.total, "reported", "estimated", "mixed")
    return BarChart(
        title=f"Cost by {span.step}",
        series=_series(sources),
        bars=[
            _bar(asked, span, begins_on, _costs(sums, sources), _note(sums))
            for begins_on, sums in _by_period(span, table)
        ],
        say=_say_dollars,
        say_ticks=money_ticks,
        label_header=span.step.capitalize(),
        empty="No run of this time has a known cost.",
    )


def _runs_chart(asked: CostsQuestion, span: Span, table: CostTable) -> BarChart:
    sources = _shown_sources(table.total, *COST_SOURCES)
    return BarChart(
        title="Runs by how their cost is known",
        series=_series(sources),
        bars=[
            _bar(asked, span, begins_on, tuple(sums.runs.get(source, 0) for source in sources))
            for begins_on, sums in _by_period(span, table)
        ],
        say="{:,}".format,
        label_header=span.step.capitalize(),
        whole=True,
        empty="No run ended in this time.",
    )


def _say_dollars(amount: Amount) -> str:
    return dollars(Decimal(amount))


def _shown_sources(total: CostSums, *sources: CostSource) -> list[CostSource]:
    """Leave out what no run of this time is of, but never everything."""
    return [source for source in sources if total.runs.get(source)] or [sources[0]]


def _series(sources: list[CostSource]) -> tuple[Series, ...]:
    return tuple(Series(source, TONES[source]) for source in sources)


def _by_period(span: Span, table: CostTable) -> list[tuple[date, CostSums]]:
    """Every period of the span, those without runs too."""
    found = {period.begins_on: period.sums for period in table.periods}
    return [(begins_on, found.get(begins_on, _NONE)) for begins_on in span.periods()]


def _costs(sums: CostSums, sources: list[CostSource]) -> tuple[Decimal | None, ...]:
    """Nothing where nothing ran; unknown where runs there have no known cost."""
    if sums.all_runs and sums.total_usd is None:
        return (None,) * len(sources)
    return tuple(sums.cost_usd.get(source, Decimal(0)) for source in sources)


def _note(sums: CostSums) -> str:
    unknown = sums.runs.get("unknown", 0)
    return f"and {unknown:,} {'run' if unknown == 1 else 'runs'} of unknown cost" if unknown else ""


def _bar(asked: CostsQuestion, span: Span, begins_on: date, values: tuple[Amount | None, ...], note: str = "") -> Bar:
    first, last = span.within(begins_on)
    is_day = span.step == "day"
    address = None
    if span.first != span.last:
        address = _address(asked, **{"days": None, "from": first.isoformat(), "to": last.isoformat()})
    return Bar(
        label=f"{begins_on:%a %Y-%m-%d}" if is_day else f"{begins_on:%Y-%m}",
        tick=f"{begins_on:%b} {begins_on.day}" if is_day else f"{begins_on:%b %Y}",
        values=values,
        note=note,
        href=address,
    )


def _lines(asked: CostsQuestion, groups: list[CostGroup]) -> list[GroupLine]:
    dearest = max((group.sums.total_usd or Decimal(0) for group in groups), default=Decimal(0))
    return [
        GroupLine(
            _name(group),
            group.sums,
            _parts(group.sums, dearest),
            _group_address(asked, group),
        )
        for group in groups
    ]


def _parts(sums: CostSums, dearest: Decimal) -> list[tuple[Tone, float, float]]:
    """Lay out the parts of a group's bar, by how its cost is known."""
    parts: list[tuple[Tone, float, float]] = []
    reached = Decimal(0)
    for source, cost_usd in sums.cost_usd.items():
        if cost_usd and dearest:
            parts.append((TONES[source], _hundredths(reached / dearest), _hundredths(cost_usd / dearest)))
            reached += cost_usd
    return parts


def _hundredths(share: Decimal) -> float:
    return round(float(share) * 100, 2)


def _name(group: CostGroup) -> str:
    if group.models is not None:
        return plain(" + ".join(group.models), _NAME_CHARACTERS) or "no model named"
    return "no agent named" if group.agent_id is None else plain(group.agent_id, _NAME_CHARACTERS)


def _group_address(asked: CostsQuestion, group: CostGroup) -> str | None:
    if group.models is not None:
        return _address(asked, model=group.models[0], group_by=None) if len(group.models) == 1 else None
    return None if group.agent_id is None else _address(asked, agent=group.agent_id, group_by="model")
