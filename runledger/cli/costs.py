"""`runledger costs`: what runs cost; what was reported, estimated and never known told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

import typer
from rich.text import Text

from runledger.analytics.cost_table import COST_SOURCES, CostQuestion, CostReader, CostSums, CostTable
from runledger.analytics.database import Database
from runledger.analytics.projects import list_projects, require_project
from runledger.cli.asking import ask
from runledger.cli.formats import UNKNOWN, count, moment, tokens, usd
from runledger.cli.options import DataDir, Json, moment_of, project_key
from runledger.cli.screen import Screen
from runledger.cli.tables import Column, FittingTable
from runledger.cli.terminal import plain, print_json

By: TypeAlias = Literal["agent", "model", "day", "project"]


@dataclass(frozen=True, slots=True)
class CostLine:
    """The runs of one agent, model, day or project.

    Args:
        name: which; None of runs that named none, and of the others.
        sums: of these runs.
        others: they are those of all that have no line of their own.
    """

    name: str | None
    sums: CostSums
    others: bool = False

    @property
    def title(self) -> str:
        """Say whose runs they are."""
        return "(others)" if self.others else self.name or "(none named)"


@dataclass(frozen=True, slots=True)
class Costs:
    """The answer: `lines` tell of the same runs as the total."""

    since: datetime
    until: datetime
    by: By
    lines: list[CostLine]
    total: CostSums


def costs_command(
    by: Annotated[By, typer.Option(help="What to put together.")] = "agent",
    *,
    since: Annotated[str, typer.Option(metavar="TIME", help="Ended since: 2026-03-01T12:00Z, or 7d for ago.")] = "7d",
    until: Annotated[str | None, typer.Option(metavar="TIME", help="And before then.")] = None,
    project: Annotated[
        str | None,
        typer.Option(
            help="Only this project's; `default`, but every project with --by project.",
            parser=project_key,
            metavar="PROJECT",
        ),
    ] = None,
    time_zone: Annotated[str, typer.Option(help="In which days begin: an IANA name.")] = "UTC",
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Add up what runs cost, the dearest first, and how it is known: reported, estimated from prices, or not at all.

    A run counts when it ended, or was last heard of. `mixed` is what was reported in part and estimated in part.

    Examples:
        runledger costs                                  # by agent, last 7 days
        runledger costs --by model --since 30d
        runledger costs --by day --time-zone Europe/Berlin
        runledger costs --by project --json
    """
    now = datetime.now(UTC)
    since_at, until_at = moment_of(since, now), now if until is None else moment_of(until, now)
    if since_at >= until_at:
        raise typer.BadParameter("--until must lie after --since")
    projects = [project] if project is not None or by == "project" else ["default"]
    costs = ask(data_dir, lambda database: _read(database, by, projects[0], (since_at, until_at), time_zone))
    if as_json:
        print_json(costs_document(costs))
        return
    screen = Screen()
    if not costs.total.all_runs:
        screen.print(f"No run ended since {moment(since_at)}; --since 90d looks further back.")
        return
    screen.print(costs_table(costs))
    for remark in remarks(costs.total):
        Screen(stderr=True).print(remark, style="yellow")


async def _read(
    database: Database, by: By, project: str | None, span: tuple[datetime, datetime], time_zone: str
) -> Costs:
    reader = CostReader(database)

    async def table(key: str) -> CostTable:
        grouping = by if by in {"agent", "model"} else None
        return await reader.read(CostQuestion(key, *span, time_zone=time_zone, group_by=grouping))

    if by == "project":
        named = await list_projects(database) if project is None else [project]
        if project is not None:
            await require_project(database, project)
        lines = [CostLine(key, (await table(key)).total) for key in named]
        lines = sorted((line for line in lines if line.sums.all_runs), key=_dearest_first)
        return Costs(*span, by, lines, add_up(line.sums for line in lines))
    assert project is not None  # noqa: S101  # `default` stands in for it
    await require_project(database, project)
    found = await table(project)
    return Costs(*span, by, list(_lines(found, by)), found.total)


def _lines(table: CostTable, by: By) -> Iterable[CostLine]:
    if by == "day":
        for period in table.periods:
            yield CostLine(period.begins_on.isoformat(), period.sums)
        return
    for group in table.groups:
        name = group.agent_id if by == "agent" else " + ".join(group.models or ())
        yield CostLine(name or None, group.sums)
    if table.others is not None:
        yield CostLine(None, table.others, others=True)


def _dearest_first(line: CostLine) -> tuple[Decimal, str]:
    return -(line.sums.total_usd or Decimal(0)), line.title


def add_up(sums: Iterable[CostSums]) -> CostSums:
    """Add up the sums of several groups of runs."""
    total = CostSums({}, {}, {}, 0)
    runs_with_tokens = 0
    for one in sums:
        runs_with_tokens += one.runs_with_tokens
        for source, runs in one.runs.items():
            total.runs[source] = total.runs.get(source, 0) + runs
        for source, cost_usd in one.cost_usd.items():
            total.cost_usd[source] = total.cost_usd.get(source, Decimal(0)) + cost_usd
        for source, used in one.tokens.items():
            total.tokens[source] = total.tokens.get(source, 0) + used
    return CostSums(total.runs, total.cost_usd, total.tokens, runs_with_tokens)


def costs_table(costs: Costs) -> FittingTable:
    """Show a line for each, and their sum."""
    table = FittingTable(
        Column(costs.by, gives="cut"),
        Column("runs", right=True),
        Column("tokens", right=True, leaves=1),
        Column("reported", right=True, leaves=4),
        Column("estimated", right=True, leaves=4),
        Column("mixed", right=True, leaves=4),
        Column("cost", right=True),
        Column("unknown", right=True, leaves=2),
    )
    for line in costs.lines:
        table.add(*_cells(line.title, line.sums))
    if len(costs.lines) > 1:
        table.add(*(Text(cell, style="bold") for cell in _cells("total", costs.total)))
    return table


def _cells(name: str, sums: CostSums) -> list[str]:
    cost = [usd(sums.cost_usd[source]) if source in sums.cost_usd else "" for source in COST_SOURCES[:-1]]
    unknown = sums.runs.get("unknown")
    total = UNKNOWN if sums.total_usd is None else usd(sums.total_usd)
    runs = f"{count(unknown)} {'run' if unknown == 1 else 'runs'}" if unknown else ""
    return [plain(name), count(sums.all_runs), tokens(sums.total_tokens), *cost, total, runs]


def remarks(total: CostSums) -> Iterable[str]:
    """Say what the sums leave out."""
    if unknown := total.runs.get("unknown"):
        who = "1 run" if unknown == 1 else f"{unknown:,} runs"
        used = total.tokens.get("unknown")
        yield f"What {who} cost{f', with {used:,} tokens,' if used else ''} is unknown, and in no sum."


def costs_document(costs: Costs) -> dict[str, object]:
    """Write costs for programs."""
    return {
        "since": costs.since,
        "until": costs.until,
        "by": costs.by,
        "total": _sums_document(costs.total),
        "groups": [{costs.by: line.name, "others": line.others, **_sums_document(line.sums)} for line in costs.lines],
    }


def _sums_document(sums: CostSums) -> dict[str, object]:
    known = {f"cost_{source}_usd": sums.cost_usd.get(source) for source in COST_SOURCES[:-1]}
    runs = {f"runs_{source}": sums.runs.get(source, 0) for source in COST_SOURCES}
    tokens_known = {"total_tokens": sums.total_tokens, "runs_with_tokens": sums.runs_with_tokens}
    return {"runs": sums.all_runs, "cost_usd": sums.total_usd, **known, **runs, **tokens_known}
