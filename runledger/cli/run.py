"""`runledger run`: list runs, and show all that the ledger says of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import typer
from rich.text import Text

from runledger.analytics.database import Database
from runledger.analytics.paging import Page
from runledger.analytics.projects import require_project
from runledger.analytics.run_account import RunAccounts
from runledger.analytics.run_list import ListedRun, RunFilter, RunList
from runledger.analytics.run_steps import RunSteps
from runledger.analytics.run_story import RunStory
from runledger.cli.asking import ask
from runledger.cli.errors import AmbiguousError, NotFoundError
from runledger.cli.event_lines import STATUS_STYLES
from runledger.cli.formats import UNKNOWN, ago, score, tokens, took, usd
from runledger.cli.options import DataDir, Json, Project, moment_of, run_prefix
from runledger.cli.run_view import RunShown, run_document, run_view
from runledger.cli.screen import Screen
from runledger.cli.tables import Column, FittingTable
from runledger.cli.terminal import plain, print_json

app = typer.Typer(help="Runs: which there are, and all that is known of one.", no_args_is_help=True)

_DIGITS = 32
_NAMED_AT_MOST = 5
_STEPS = 1000
_PAGE = 200


@app.command("list")
def list_command(
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    *,
    status: Annotated[
        Literal["running", "completed", "failed", "interrupted"] | None, typer.Option(help="Only those that are so.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="Only of this task.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Heard of since: 2026-03-01T12:00Z, or 2h for ago.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=_PAGE, help="At most so many, the newest.")] = 20,
    project: Project = "default",
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List runs, those heard of last first.

    Examples:
        runledger run list                               # the newest
        runledger run list --status running              # what goes on
        runledger run list --agent sage --since 1d       # of one agent, since yesterday
    """
    wanted = RunFilter(agent_id=agent, status=status, task_id=task, since=None if since is None else moment_of(since))

    async def question(database: Database) -> Page[ListedRun]:
        await require_project(database, project)
        return await RunList(database).page(project, wanted, limit=limit)

    page = ask(data_dir, question)
    if as_json:
        print_json({"runs": [asdict(run) for run in page.rows], "more": page.next_cursor is not None})
        return
    if not page.rows:
        Screen().print("No run is there that fits.")
        return
    Screen().print(runs_table(page.rows, datetime.now(UTC)))
    if page.next_cursor is not None:
        Screen(stderr=True).print(f"There are more than these {limit}: --limit shows more of them.", style="dim")


@app.command("show")
def show_command(
    run: Annotated[str, typer.Argument(parser=run_prefix, metavar="RUN", help="Its id, or the digits it begins with.")],
    *,
    events: Annotated[int, typer.Option(min=0, max=_PAGE, help="At most so many events, the first.")] = 50,
    project: Project = "default",
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show one run: what it used of which model, its timeline, failures, traces and score.

    Exit code: 5 there is no such run.

    Examples:
        runledger run show 3f9a1c2d                      # the digits that lists show
        runledger run show 3f9a1c2d --events 200         # a longer timeline
        runledger run show 3f9a1c2d --json
    """
    shown = ask(data_dir, lambda database: _read(database, project, run, events))
    if as_json:
        print_json(run_document(shown))
    else:
        Screen().print(run_view(shown, datetime.now(UTC)))


async def _read(database: Database, project: str, prefix: str, most_events: int) -> RunShown:
    run_id = await find_run(database, project, prefix)
    account = await RunAccounts(database).read(project, run_id)
    events = await RunStory(database).events(project, run_id, max(1, most_events))
    if account is None or events is None:  # erased meanwhile
        raise NotFoundError(f"run {run_id} is gone")
    steps = await RunSteps(database).steps(project, run_id, _STEPS)
    rows = events.rows[:most_events]
    return RunShown(project, account, rows, len(rows) < len(events.rows) or events.next_cursor is not None, steps)


async def find_run(database: Database, project: str, prefix: str) -> UUID:
    """Find the one run of a project whose id begins so.

    Args:
        database: the tables to read.
        project: whose.
        prefix: 1 to 32 hexadecimal digits, without dashes.

    Raises:
        UnknownProjectError: there is no such project.
        NotFoundError: no run begins so.
        AmbiguousError: several do.
        ReadUnavailableError: the database does not answer in time.
    """
    await require_project(database, project)
    first, last = UUID(prefix.ljust(_DIGITS, "0")), UUID(prefix.ljust(_DIGITS, "f"))
    wanted = RunFilter(first_run_id=first, last_run_id=last)
    found = (await RunList(database).page(project, wanted, limit=_NAMED_AT_MOST)).rows
    if not found:
        hint = "a run appears about a second after its first event; `runledger run list` shows the newest"
        raise NotFoundError(f"project {project} has no run whose id begins with {prefix} ({hint})")
    if len(found) > 1:
        named = ", ".join(run.run_id.hex[: len(prefix) + 8] for run in found)
        raise AmbiguousError(f"several runs of project {project} begin with {prefix}: {named}; give more digits")
    return found[0].run_id


def runs_table(runs: Sequence[ListedRun], now: datetime) -> FittingTable:
    """Show a line a run; a dash is unknown."""
    table = FittingTable(
        Column("run"),
        Column("agent", gives="cut"),
        Column("status"),
        Column("heard"),
        Column("took", right=True, leaves=2),
        Column("tokens", right=True, leaves=3),
        Column("cost", right=True),
        Column("score", right=True, leaves=4),
        Column("summary", gives="cut", leaves=5),
    )
    for run in runs:
        status = run.outcome if run.outcome in {"failed", "partial"} else run.status
        table.add(
            run.run_id.hex[:8],
            plain(run.agent_id or UNKNOWN),
            Text(run.status, style=STATUS_STYLES.get(status, "cyan")),
            ago(run.heard_at, now),
            took(run_seconds(run, now)),
            tokens(run.total_tokens),
            usd(run.cost_usd),
            score(run.score),
            plain(" ".join((run.end_summary or run.summary or "").split())),
        )
    return table


def run_seconds(run: ListedRun, now: datetime) -> float | None:
    """Say how long a run took, or has been going on; None is unknown."""
    if run.started_at is None:
        return None
    ended_at = run.ended_at or (now if run.status == "running" else None)
    return None if ended_at is None else (ended_at - run.started_at).total_seconds()
