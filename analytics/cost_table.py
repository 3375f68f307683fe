"""What a project's runs cost by period and by group; what was reported, estimated and never known is told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import psycopg

from runledger.analytics.database import Database, query
from runledger.analytics.days import find_zone
from runledger.analytics.errors import TimeZoneError

CostSource: TypeAlias = Literal["reported", "estimated", "mixed", "unknown"]
Step: TypeAlias = Literal["day", "month"]
Grouping: TypeAlias = Literal["agent", "model"]
COST_SOURCES: tuple[CostSource, ...] = ("reported", "estimated", "mixed", "unknown")
MOST_GROUPS = 50


@dataclass(frozen=True, slots=True)
class CostQuestion:
    """Which runs are meant, and how they are put together.

    Args:
        project_key: whose.
        since: runs that ended then or later, or were last heard of.
        until: and before then.
        time_zone: IANA name of the zone in which periods begin.
        step: what a period is.
        group_by: what a group is; None for no groups.
        agent_id: runs of this agent alone.
        model: runs that used this model alone.
    """

    project_key: str
    since: datetime
    until: datetime
    time_zone: str = "UTC"
    step: Step = "day"
    group_by: Grouping | None = None
    agent_id: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class CostCell:
    """The runs of one period, one group, or all, whose cost is known in one way."""

    level: Literal["all", "period", "group"]
    period: date | None
    agent_id: str | None
    models: list[str] | None
    cost_source: CostSource
    runs: int
    cost_usd: Decimal | None
    """None where the source is unknown."""
    runs_with_tokens: int
    total_tokens: Decimal | int | None
    """Whole; of any size, for agents may tell what they like."""


@dataclass(frozen=True, slots=True)
class CostSums:
    """Some runs' costs by how they are known. A source of which there is no run has no entry.

    Args:
        runs: {source: how many runs}.
        cost_usd: {source: their cost}; never an entry for unknown.
        tokens: {source: their tokens, as far as these are known}.
        runs_with_tokens: runs whose tokens are known.
    """

    runs: dict[CostSource, int]
    cost_usd: dict[CostSource, Decimal]
    tokens: dict[CostSource, int]
    runs_with_tokens: int

    @property
    def all_runs(self) -> int:
        """Runs of every source."""
        return sum(self.runs.values())

    @property
    def total_usd(self) -> Decimal | None:
        """Cost of the runs whose cost is known; None where none is."""
        return sum(self.cost_usd.values(), Decimal(0)) if self.cost_usd else None

    @property
    def total_tokens(self) -> int | None:
        """Tokens of the runs whose tokens are known; None where none are."""
        return sum(self.tokens.values()) if self.runs_with_tokens else None


@dataclass(frozen=True, slots=True)
class CostPeriod:
    """A day, or a month named by its first."""

    begins_on: date
    sums: CostSums


@dataclass(frozen=True, slots=True)
class CostGroup:
    """An agent, or the models that runs used together; None is what named neither."""

    agent_id: str | None
    models: tuple[str, ...] | None
    sums: CostSums


@dataclass(frozen=True, slots=True)
class CostTable:
    """The answer to a `CostQuestion`: the three tell of the same runs.

    Args:
        total: all runs.
        periods: those periods in which there are runs, in order.
        groups: the dearest first, at most 50.
        others: runs of the groups beyond these; None where there are none.
    """

    total: CostSums
    periods: list[CostPeriod]
    groups: list[CostGroup]
    others: CostSums | None


class CostReader:
    """Adds up costs; every question is about one project.

    Args:
        database: the tables to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, question: CostQuestion) -> CostTable:
        """Add up.

        Raises:
            TimeZoneError: no time zone is named so.
            ReadUnavailableError: the database does not answer in time.
        """
        asked = {
            "project_key": question.project_key,
            "since": question.since,
            "until": question.until,
            "time_zone": find_zone(question.time_zone).key,
            "step": question.step,
            "group_by": question.group_by,
            "agent_id": question.agent_id,
            "model": question.model,
            "limit": MOST_GROUPS,
        }
        try:
            cells = await self._database.select(CostCell, query("select_cost_cells"), asked)
        except psycopg.errors.InvalidParameterValue as error:
            raise TimeZoneError("the database knows no such time_zone") from error
        return make_table(cells, grouped=question.group_by is not None)


def make_table(cells: Iterable[CostCell], *, grouped: bool) -> CostTable:
    """Put the cells of one answer together.

    Args:
        cells: in the order in which periods and groups shall stand.
        grouped: whether groups were asked for.
    """
    whole: list[CostCell] = []
    periods: dict[date, list[CostCell]] = {}
    groups: dict[tuple[str | None, tuple[str, ...] | None], list[CostCell]] = {}
    for cell in cells:
        if cell.level == "all":
            whole.append(cell)
        elif cell.period is not None:
            periods.setdefault(cell.period, []).append(cell)
        else:
            models = None if cell.models is None else tuple(cell.models)
            groups.setdefault((cell.agent_id, models), []).append(cell)
    total = _sums(whole)
    return CostTable(
        total,
        [CostPeriod(begins_on, _sums(found)) for begins_on, found in sorted(periods.items())],
        [CostGroup(*named, _sums(found)) for named, found in groups.items()],
        _rest(total, [cell for found in groups.values() for cell in found]) if grouped else None,
    )


def _sums(cells: Iterable[CostCell]) -> CostSums:
    found = list(cells)
    sums = CostSums({}, {}, {}, sum(cell.runs_with_tokens for cell in found))
    for source in COST_SOURCES:
        of_source = [cell for cell in found if cell.cost_source == source]
        if not of_source:
            continue
        sums.runs[source] = sum(cell.runs for cell in of_source)
        if source != "unknown":
            sums.cost_usd[source] = sum((cell.cost_usd or Decimal(0) for cell in of_source), Decimal(0))
        sums.tokens[source] = sum(int(cell.total_tokens or 0) for cell in of_source)
    return sums


def _rest(total: CostSums, listed: list[CostCell]) -> CostSums | None:
    """What is in the total and in none of the groups listed."""
    known = _sums(listed)
    left = {source: runs - known.runs.get(source, 0) for source, runs in total.runs.items()}
    sources = [source for source, runs in left.items() if runs]
    if not sources:
        return None
    return CostSums(
        {source: left[source] for source in sources},
        {
            source: total.cost_usd[source] - known.cost_usd.get(source, Decimal(0))
            for source in sources
            if source in total.cost_usd
        },
        {source: total.tokens[source] - known.tokens.get(source, 0) for source in sources},
        total.runs_with_tokens - known.runs_with_tokens,
    )
