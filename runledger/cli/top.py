"""`runledger top`: live agents and runs."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Annotated

import typer
from rich.live import Live

from runledger.analytics.auditor import Audit, read_audit
from runledger.analytics.cost_table import CostQuestion, CostReader, CostSums
from runledger.analytics.database import Connection, Database
from runledger.analytics.days import day_start, find_zone
from runledger.analytics.errors import ReadUnavailableError
from runledger.analytics.run_list import ListedRun, RunFilter, RunList
from runledger.analytics.strips import StripOutcome, read_strips
from runledger.cli.asking import ask
from runledger.cli.connecting import find_tables
from runledger.cli.formats import clock
from runledger.cli.options import DataDir, Json, Project
from runledger.cli.screen import Screen
from runledger.cli.terminal import print_json
from runledger.cli.top_view import Snapshot, most_urgent, top_document, top_view

_MOST_AGENTS = 200
_MOST_RUNS = 50
_COSTS_SECONDS = 10.0
"""The day's costs are added up over all of its runs: not at every look."""


class Looks:
    """Reads snapshots of one project, one after the other.

    Args:
        database: the tables to read.
        project: whose.
    """

    def __init__(self, database: Database, project: str) -> None:
        self._database = database
        self._project = project
        self._today: CostSums | None = None
        self._today_at = 0.0

    async def look(self) -> Snapshot:
        """Read one.

        Raises:
            UnknownProjectError: there is no such project.
            ReadUnavailableError: the database does not answer in time.
        """
        audit, strips = await self._database.answer(self._agents)
        runs = RunList(self._database)
        running = await runs.page(self._project, RunFilter(status="running"), limit=_MOST_RUNS)
        newest = await runs.page(self._project, RunFilter(), limit=_MOST_RUNS)
        known = {run.run_id for run in running.rows}
        shown: list[ListedRun] = running.rows + [run for run in newest.rows if run.run_id not in known]
        today = await self._costs(audit.pipeline.read_at)
        return Snapshot(self._project, audit, strips, shown, running.next_cursor is not None, today)

    async def _agents(self, connection: Connection) -> tuple[Audit, dict[tuple[str, str], list[StripOutcome]]]:
        audit = await read_audit(connection, self._project)
        shown = [(agent.project_key, agent.agent_id) for agent in most_urgent(audit.agents)[:_MOST_AGENTS]]
        strips = await read_strips(connection, shown)
        return audit, {key: list(outcomes) for key, outcomes in strips.items()}

    async def _costs(self, now: datetime) -> CostSums:
        clock_now = asyncio.get_running_loop().time()
        if self._today is None or clock_now - self._today_at >= _COSTS_SECONDS:
            question = CostQuestion(self._project, day_start(now, find_zone("UTC")), now)
            self._today = (await CostReader(self._database).read(question)).total
            self._today_at = clock_now
        return self._today


def top_command(
    project: Project = "default",
    *,
    once: Annotated[bool, typer.Option("--once", help="Print what is now, and end.")] = False,
    interval: Annotated[
        float, typer.Option(min=0.5, max=3600, metavar="SECONDS", help="Time between two looks.")
    ] = 2.0,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show agents and runs, live: those that need a look and those that go on stand first. Ctrl-C ends it.

    What is no terminal gets one snapshot, and so does --json.

    Exit code: 0 also when Ctrl-C ended it.

    Examples:
        runledger top
        runledger top --project default --interval 5
        runledger top --once --json
    """
    screen = Screen()
    if once or as_json or not screen.is_live:
        snapshot = ask(data_dir, lambda database: Looks(database, project).look())
        if as_json:
            print_json(top_document(snapshot))
        else:
            screen.print(top_view(snapshot))
        return
    with contextlib.suppress(KeyboardInterrupt):  # the way out
        asyncio.run(_watch(find_tables(data_dir), project, interval, screen))


async def _watch(uri: str, project: str, interval: float, screen: Screen) -> None:
    async with Database(uri) as database:
        looks = Looks(database, project)
        snapshot = await looks.look()
        remark: str | None = None
        with Live(console=screen, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                live.update(top_view(snapshot, screen.height, remark), refresh=True)
                await asyncio.sleep(interval)
                try:
                    snapshot, remark = await looks.look(), None
                except ReadUnavailableError as error:
                    remark = f"{error}; this is of {clock(snapshot.audit.pipeline.read_at)}Z"
