"""`runledger erase`: forget a run, an agent or a project, and say where it may still stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import psycopg
import typer

from runledger.access.projects import close_project
from runledger.cli.connecting import connect, require_broker
from runledger.cli.option_groups import grouped
from runledger.cli.options import DataDir, Json, Project, project_key
from runledger.cli.progress import Steps
from runledger.cli.terminal import print_json
from runledger.erasing import Erasure, erase, preview
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.erasures import Subject
from runledger.traces_in_topics import OF_AGENTS, OF_RUNS, Trace, find_traces

app = typer.Typer(help="Erase a run, an agent or a whole project, for good.", no_args_is_help=True)

EXIT_LEFT = 3
"""Rows are still there: the pipeline is behind, or somebody goes on sending."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What every erasure may be told."""

    reason: Annotated[
        str | None, typer.Option(help="Why; it is kept with the order, so name nobody.", show_default=False)
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be erased, and order nothing.")] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
    wait: Annotated[float, typer.Option(min=0, help="Seconds that each step may take.")] = 60
    as_json: Json = False
    data_dir: DataDir = None


@app.command("run")
@grouped
def run_command(
    run: Annotated[UUID, typer.Argument(help="Id of the run.")],
    project: Project = "default",
    *,
    order: _Order,
) -> None:
    """Erase one run: its events, totals, failures and scores.

    Exit code: 0 nothing of it is left, 3 something is.

    Examples:
        runledger erase run 3f9a1c2d-9f0e-4b6d-8dc7-eaac1c4cd1de --dry-run
    """
    _command(Subject(project, run), order)


@app.command("agent")
@grouped
def agent_command(
    agent: Annotated[str, typer.Argument(help="Id of the agent, as its runs name it.")],
    project: Project = "default",
    *,
    order: _Order,
) -> None:
    """Erase an agent: all its runs, its streaks and incidents, and what was set for it.

    Exit code: 0 nothing of it is left, 3 something is.

    Examples:
        runledger erase agent nova --dry-run
        runledger erase agent nova --yes
    """
    _command(Subject(project, agent_id=agent.strip()), order)


@app.command("project")
@grouped
def project_command(
    project: Annotated[str, typer.Argument(help="Key of the project.", parser=project_key, metavar="PROJECT")],
    *,
    order: _Order,
) -> None:
    """Erase a project: all its agents and runs, its figures and settings. First its keys are revoked.

    Exit code: 0 nothing of it is left, 3 something is.

    Examples:
        runledger erase project myproject --dry-run
    """
    _command(Subject(project), order)


def _command(subject: Subject, order: _Order) -> None:
    addresses = connect(order.data_dir)
    require_broker(addresses)
    settings = ConnectionSettings().model_copy(update={"kafka": addresses.kafka, "postgres": addresses.postgres})
    with psycopg.connect(settings.postgres, autocommit=True) as connection:
        stands = preview(connection, subject)
        if order.dry_run:
            _tell(subject, stands, _traces(settings, subject), "would be erased", as_json=order.as_json)
            return
        if not order.yes:
            rows = sum(stands.left.values())
            typer.confirm(f"Erase {subject} ({stands.runs:,} runs, {rows:,} rows) for good?", abort=True, err=True)
        if subject.run_id is None and subject.agent_id is None:
            close_project(connection, subject.project_key)
        with Steps().counting("Runs erased") as progress:
            done = erase(settings, connection, subject, reason=order.reason, wait_seconds=order.wait, progress=progress)
    _tell(subject, done, _traces(settings, subject), "erased", as_json=order.as_json)
    if done.left:
        raise typer.Exit(EXIT_LEFT)


def _traces(settings: ConnectionSettings, subject: Subject) -> list[Trace]:
    return find_traces(settings, OF_RUNS if subject.run_id is not None else OF_AGENTS, datetime.now(UTC))


def _tell(subject: Subject, done: Erasure, traces: list[Trace], what: str, *, as_json: bool) -> None:
    now = datetime.now(UTC)
    if as_json:
        document = {
            "subject": str(subject),
            "runs": done.runs,
            "agents": done.agents,
            "rows_left": dict(done.left),
            "backups_before": now,
            "topics": [
                {"topic": trace.topic, "held_until": trace.until, "settings_known": trace.is_known} for trace in traces
            ],
        }
        print_json(document)
        return
    typer.echo(f"{subject}: {done.runs:,} runs and {done.agents:,} agents {what}")
    if done.left:
        rows = ", ".join(f"{count:,} in {table}" for table, count in sorted(done.left.items()))
        typer.echo(f"Rows that stand now: {rows}.")
        if what == "erased":
            typer.echo(
                "The orders are in the log; the pipeline has not come to all of them, or something was sent since. "
                "Run the command again to go on and to look.",
                err=True,
            )
    typer.echo("\nWhat was written until now may still be read:")
    for trace in traces:
        until = "without end: its settings set no bound" if trace.until is None else f"{trace.until:%Y-%m-%d %H:%MZ}"
        typer.echo(f"  {trace.topic:<28} until {until}{'' if trace.is_known else ' (if its settings are the usual)'}")
    typer.echo(f"  {'backups':<28} made before {now:%Y-%m-%d %H:%MZ}: erase again after you restore one")
