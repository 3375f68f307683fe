"""What the list of agents shows, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import TypeAlias

from markupsafe import Markup

from runledger.analytics.agent_usage import AgentUsage, UsageWeek
from runledger.analytics.auditor import Audit
from runledger.analytics.dashboard import formats
from runledger.analytics.dashboard.cells import make_cells
from runledger.analytics.dashboard.charts import draw_sparkline, draw_strip
from runledger.analytics.dashboard.findings import say_finding
from runledger.analytics.dashboard.pages.agent_question import AgentsQuestion
from runledger.analytics.dashboard.words import plain
from runledger.analytics.strips import StripOutcome
from runledger.analytics.verdicts import AgentState, AuditedAgent

STATES: tuple[AgentState, ...] = ("failing", "silent", "quiet", "never_reported", "expected", "healthy", "retired")
"""The worst first."""
PAGE_AGENTS = 50
Strips: TypeAlias = Mapping[tuple[str, str], Sequence[StripOutcome]]
_Key: TypeAlias = Callable[[AuditedAgent], Decimal | int | float | None]


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent of the list."""

    agent: AuditedAgent
    title: str
    subtitle: str
    """Its role, and its id where that is not the title."""
    why: str
    """What was found, in words; empty where nothing was."""
    strip: Markup
    usage: AgentUsage | None
    """None where it used nothing, and where that is not known yet."""
    spark: Markup
    """Its cost by day; empty where nothing of it is known."""


@dataclass(frozen=True, slots=True)
class AgentList:
    """What the page shows."""

    question: AgentsQuestion
    audit: Audit
    week: UsageWeek | None
    """None while it is being added up."""
    states: list[tuple[AgentState, int]]
    """How many agents that the words find are in each state, the worst first; those without any are left out."""
    found: int
    """Agents that the words find, whatever their state."""
    matching: int
    """Those of them in the state that is asked for."""
    lines: list[AgentLine]
    first: int
    """Number of the first line, from 1."""
    pages: int


def find_agents(audit: Audit, question: AgentsQuestion) -> list[AuditedAgent]:
    """Find the agents of whose id, name or role all the words are parts, whatever their state."""
    words = (question.q or "").casefold().split()
    return [agent for agent in audit.agents if all(word in _names(agent) for word in words)]


def choose_agents(
    found: Sequence[AuditedAgent], question: AgentsQuestion, week: UsageWeek | None
) -> list[AuditedAgent]:
    """Choose those in the state that is asked for, and put them in order."""
    chosen = [agent for agent in found if question.state in {None, agent.state}]
    chosen.sort(key=lambda agent: agent.agent_id)
    column = question.sort.removeprefix("-")
    down = question.sort.startswith("-")
    if column == "state":
        chosen.sort(key=lambda agent: STATES.index(agent.state))
    elif column == "agent":
        chosen.sort(key=lambda agent: _title(agent).casefold(), reverse=down)
    else:
        key = _key(column, week)
        known = [agent for agent in chosen if key(agent) is not None]
        unknown = [agent for agent in chosen if key(agent) is None]
        chosen = sorted(known, key=lambda agent: key(agent) or 0, reverse=down) + unknown
    return chosen


def cut_page(chosen: Sequence[AuditedAgent], question: AgentsQuestion) -> Sequence[AuditedAgent]:
    """Cut out the page that is asked for."""
    return chosen[(question.page - 1) * PAGE_AGENTS : question.page * PAGE_AGENTS]


def make_list(audit: Audit, question: AgentsQuestion, week: UsageWeek | None, strips: Strips) -> AgentList:
    """Make what the page shows.

    Args:
        audit: all agents of the project.
        question: which of them.
        week: what they used.
        strips: the last outcomes of the page's agents.
    """
    found = find_agents(audit, question)
    chosen = choose_agents(found, question, week)
    counted = Counter(agent.state for agent in found)
    return AgentList(
        question=question,
        audit=audit,
        week=week,
        states=[(state, counted[state]) for state in STATES if counted[state] or state == question.state],
        found=len(found),
        matching=len(chosen),
        lines=[_make_line(agent, week, strips) for agent in cut_page(chosen, question)],
        first=(question.page - 1) * PAGE_AGENTS + 1,
        pages=max(1, ceil(len(chosen) / PAGE_AGENTS)),
    )


def _make_line(agent: AuditedAgent, week: UsageWeek | None, strips: Strips) -> AgentLine:
    usage = None if week is None else week.agents.get(agent.agent_id)
    return AgentLine(
        agent=agent,
        title=_title(agent),
        subtitle=" · ".join(part for part in (plain(agent.role or ""), _id(agent)) if part),
        why=", ".join(say_finding(agent, finding) for finding in agent.findings),
        strip=draw_strip(make_cells(strips.get((agent.project_key, agent.agent_id), ()))),
        usage=usage,
        spark=Markup("") if week is None or usage is None or usage.cost_usd is None else _draw_costs(week, usage),
    )


def _draw_costs(week: UsageWeek, usage: AgentUsage) -> Markup:
    costs = week.costs_of(usage.agent_id)
    said = ", ".join(
        f"{day:%a} {'unknown' if cost is None else formats.dollars(cost)}"
        for day, cost in zip(week.days, costs, strict=True)
    )
    return draw_sparkline(costs, label=f"Cost by day: {said}.", width=72, height=22)


def _title(agent: AuditedAgent) -> str:
    return plain(agent.name or agent.agent_id)


def _id(agent: AuditedAgent) -> str:
    return plain(agent.agent_id) if agent.name and agent.name != agent.agent_id else ""


def _names(agent: AuditedAgent) -> str:
    return " ".join((agent.agent_id, agent.name or "", agent.role or "")).casefold()


def _key(column: str, week: UsageWeek | None) -> _Key:
    """Return what agents are sorted by; None where it is unknown, as costs are before they are added up."""

    def seen_at(agent: AuditedAgent) -> float | None:
        return None if agent.last_seen_at is None else agent.last_seen_at.timestamp()

    def used(agent: AuditedAgent) -> AgentUsage | None:
        return None if week is None else week.agents.get(agent.agent_id)

    def cost(agent: AuditedAgent) -> Decimal | None:
        usage = used(agent)
        return None if usage is None else usage.cost_usd

    def tokens(agent: AuditedAgent) -> int | None:
        usage = used(agent)
        return None if usage is None else usage.total_tokens

    def runs(agent: AuditedAgent) -> int:
        return agent.finished_runs

    keys: dict[str, _Key] = {"last_seen": seen_at, "cost": cost, "tokens": tokens, "runs": runs}
    return keys[column]
