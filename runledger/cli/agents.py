"""`runledger agents`: what operators say of agents, and what the ledger knows of them."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runledger.analytics.auditor import Audit, Auditor
from runledger.analytics.database import Database
from runledger.analytics.verdicts import AuditedAgent
from runledger.cli.connecting import connect, find_tables, require_broker
from runledger.cli.terminal import plain, print_json
from runledger.intervals import parse_interval, say_interval
from runledger.schemas.agent_settings import MAX_SETTING, AgentSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.settings_log import check_settings, merge_settings, read_settings, remove_settings, write_settings

app = typer.Typer(help="Agents: their names, what is expected of them, and how they are.", no_args_is_help=True)

_PROJECT_KEY = re.compile(r"[a-z0-9_-]{1,64}")
_STATE_STYLE = {"healthy": "green", "expected": "cyan", "retired": "dim"}


def _project(text: str) -> str:
    if not _PROJECT_KEY.fullmatch(text):
        raise typer.BadParameter(f"{text[:80]!r} is no project key: 1 to 64 of a-z, 0-9, _ and -")
    return text


def _seconds(text: str) -> int:
    try:
        return parse_interval(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


_Agent = Annotated[str | None, typer.Argument(help="Id of the agent, as its runs name it.", show_default=False)]
_Project = Annotated[str, typer.Option(help="Project of the agent.", parser=_project, metavar="PROJECT")]
_All = Annotated[bool, typer.Option("--all", help="For every agent of the project that says nothing else itself.")]
_DataDir = Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")]


@app.command("set")
def set_command(
    agent: _Agent = None,
    *,
    project: _Project = "default",
    name: Annotated[str | None, typer.Option(help="Name for people, such as Sage.")] = None,
    role: Annotated[str | None, typer.Option(help="What the agent is for, such as Backend.")] = None,
    every: Annotated[
        int | None,
        typer.Option(parser=_seconds, metavar="INTERVAL", help="How often it reports: 90s, 30m, 1h, 1h30m, 1d."),
    ] = None,
    retired: Annotated[
        bool | None,
        typer.Option("--retired/--no-retired", help="Nothing is expected of it any more.", show_default=False),
    ] = None,
    deadline: Annotated[
        int | None,
        typer.Option(parser=_seconds, metavar="INTERVAL", help="A run of which nothing is heard for so long is over."),
    ] = None,
    silent_after: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_SETTING, metavar="RUNS", help="Silent runs in a row that open an incident."),
    ] = None,
    failing_after: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_SETTING, metavar="RUNS", help="Failed runs in a row that open an incident."),
    ] = None,
    for_all: _All = False,
    data_dir: _DataDir = None,
) -> None:
    """Say who an agent is, and what is expected of it and its runs. What is not given stays as it is.

    Example: runledger agents set sage --role Backend --every 1h
    """
    _check_subject(agent, for_all=for_all)
    expected = AgentSettings(project, agent, deadline, silent_after, failing_after, every)
    said = replace(expected, name=name, role=role, retired=retired)
    if said == AgentSettings(project, agent):
        raise typer.BadParameter("nothing to set: give --name, --role, --retired, or what is expected of it")
    if for_all and said != expected:
        raise typer.BadParameter("a whole project has no name, role or retirement here: leave them out, or --all")
    said = check_settings(said)
    connection = _broker(data_dir)
    settings = merge_settings(read_settings(connection, project, said.agent_id), said)
    write_settings(connection, settings)
    typer.echo(f"{_subject(project, settings.agent_id)}: {_describe(settings)}")


@app.command("unset")
def unset_command(
    agent: _Agent = None, project: _Project = "default", for_all: _All = False, data_dir: _DataDir = None
) -> None:
    """Take back everything that was set for an agent, or with --all for its project as a whole."""
    _check_subject(agent, for_all=for_all)
    asked = check_settings(AgentSettings(project, agent))
    remove_settings(_broker(data_dir), project, asked.agent_id)
    typer.echo(f"{_subject(project, asked.agent_id)}: nothing is set")


@app.command("list")
def list_command(
    project: Annotated[
        str | None, typer.Option(help="Only this project's.", parser=_project, metavar="PROJECT", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """List agents: who they are, how often they report, when they were last heard, and how they are."""
    audit = asyncio.run(_audit(find_tables(data_dir), project))
    if as_json:
        print_json(_document(audit))
        return
    Console().print(_table(audit))
    if not audit.judged:
        Console(stderr=True).print(f"The pipeline's watermark is {audit.pipeline.state}: who is quiet was not judged.")
    if audit.more_agents:
        Console(stderr=True).print("There are more agents than are listed; ask for one project.")


def _check_subject(agent: str | None, *, for_all: bool) -> None:
    if (agent is None) != for_all:
        raise typer.BadParameter("name one agent, or give --all for every agent of the project")


def _broker(data_dir: Path | None) -> ConnectionSettings:
    addresses = connect(data_dir)
    require_broker(addresses)
    return ConnectionSettings().model_copy(update={"kafka": addresses.kafka})


def _subject(project: str, agent_id: str | None) -> str:
    return f"every agent of {project}" if agent_id is None else f"{project}/{agent_id}"


def _describe(settings: AgentSettings) -> str:
    """Say what stands."""
    every = settings.expected_interval_seconds
    deadline = settings.deadline_seconds
    parts = (
        settings.name and f"name {settings.name}",
        settings.role and f"role {settings.role}",
        every and f"every {say_interval(every)}",
        deadline and f"deadline {say_interval(deadline)}",
        settings.silence_threshold and f"silent after {settings.silence_threshold}",
        settings.failure_threshold and f"failing after {settings.failure_threshold}",
        settings.retired and "retired",
    )
    return ", ".join(part for part in parts if part) or "nothing is set"


async def _audit(postgres: str, project: str | None) -> Audit:
    async with Database(postgres) as database:
        return await Auditor(database).audit(project)


def _document(audit: Audit) -> dict[str, object]:
    names = (
        "project_key",
        "agent_id",
        "name",
        "role",
        "state",
        "findings",
        "last_seen_at",
        "expected_interval_seconds",
    )
    agents = [{name: getattr(agent, name) for name in names} for agent in audit.agents]
    return {"pipeline": asdict(audit.pipeline), "judged": audit.judged, "agents": agents}


def _table(audit: Audit) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("project", "agent", "name -- role", "every", "last seen", "state"):
        table.add_column(column)
    for agent in audit.agents:
        state = ", ".join(agent.findings) or agent.state
        table.add_row(
            agent.project_key,
            Text(plain(agent.agent_id)),
            Text(plain(_who(agent))),
            say_interval(agent.expected_interval_seconds),
            _ago(agent.last_seen_at, audit.pipeline.read_at),
            Text(state, style=_STATE_STYLE.get(agent.state, "red")),
        )
    return table


def _who(agent: AuditedAgent) -> str:
    """Say who an agent is, as on its card."""
    return " -- ".join(part for part in (agent.name, agent.role) if part)


def _ago(seen_at: datetime | None, now: datetime) -> str:
    """Say how long ago, in its largest unit: a table is for a glance."""
    if seen_at is None:
        return "never"
    seconds = int((now - seen_at).total_seconds())
    for unit in (24 * 3600, 3600, 60):
        if seconds >= unit:
            return f"{say_interval(seconds - seconds % unit)} ago"
    return f"{max(0, seconds)}s ago"
