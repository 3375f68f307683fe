"""`runledger agents`: what operators say of agents, and what the ledger knows of them."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from runledger.analytics.agent_story import AgentStories
from runledger.cli.agents_view import agent_view, agents_document, agents_table, audit_remarks, read_agents
from runledger.cli.asking import ask
from runledger.cli.connecting import connect, require_broker
from runledger.cli.errors import NotFoundError
from runledger.cli.options import AnyProject, DataDir, Json, Project, seconds_of
from runledger.cli.screen import Screen
from runledger.cli.strip import legend
from runledger.cli.terminal import print_json
from runledger.intervals import say_interval
from runledger.schemas.agent_settings import MAX_SETTING, AgentSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.settings_log import check_settings, merge_settings, read_settings, remove_settings, write_settings

app = typer.Typer(help="Agents: their names, what is expected of them, and how they are.", no_args_is_help=True)

_Agent = Annotated[str | None, typer.Argument(help="Id of the agent, as its runs name it.", show_default=False)]
_All = Annotated[bool, typer.Option("--all", help="For every agent of the project that says nothing else itself.")]


@app.command("set")
def set_command(
    agent: _Agent = None,
    *,
    project: Project = "default",
    name: Annotated[str | None, typer.Option(help="Name for people, such as Sage.")] = None,
    role: Annotated[str | None, typer.Option(help="What the agent is for, such as Backend.")] = None,
    every: Annotated[
        int | None,
        typer.Option(parser=seconds_of, metavar="INTERVAL", help="How often it reports: 90s, 30m, 1h, 1h30m, 1d."),
    ] = None,
    retired: Annotated[
        bool | None,
        typer.Option("--retired/--no-retired", help="Nothing is expected of it any more.", show_default=False),
    ] = None,
    deadline: Annotated[
        int | None,
        typer.Option(parser=seconds_of, metavar="INTERVAL", help="A run not heard of for so long is over."),
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
    data_dir: DataDir = None,
) -> None:
    """Say who an agent is, and what is expected of it and its runs. What is not given stays as it is.

    Examples:
        runledger agents set sage --role Backend --every 1h
        runledger agents set --all --deadline 30m        # every agent of it
        runledger agents set nova --retired
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
    agent: _Agent = None, project: Project = "default", for_all: _All = False, data_dir: DataDir = None
) -> None:
    """Take back everything that was set for an agent, or with --all for its project as a whole.

    Examples:
        runledger agents unset nova
    """
    _check_subject(agent, for_all=for_all)
    asked = check_settings(AgentSettings(project, agent))
    remove_settings(_broker(data_dir), project, asked.agent_id)
    typer.echo(f"{_subject(project, asked.agent_id)}: nothing is set")


@app.command("list")
def list_command(project: AnyProject = None, *, as_json: Json = False, data_dir: DataDir = None) -> None:
    """List agents: how they are, how their last 32 runs went, how often they report and when they were last heard.

    Examples:
        runledger agents list                        # of every project
        runledger agents list --project default --json
    """
    listed = ask(data_dir, lambda database: read_agents(database, project))
    if as_json:
        print_json(agents_document(listed))
        return
    screen, remarks = Screen(), Screen(stderr=True)
    if listed.audit.agents:
        screen.print(agents_table(listed))
    else:
        screen.print("No agent is known: one appears with its first run, or by `runledger agents set`.")
    if listed.strips and remarks.is_terminal:
        remarks.print(legend())
    for remark in audit_remarks(listed.audit):
        remarks.print(remark, style="yellow")


@app.command("show")
def show_command(
    agent: Annotated[str, typer.Argument(help="Id of the agent, as its runs name it.")],
    project: Project = "default",
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show one agent: how it is and why, what is expected of it, its last runs and what they failed by.

    Exit code: 5 the project knows no such agent.

    Examples:
        runledger agents show airline
        runledger agents show airline --json
    """
    story = ask(data_dir, lambda database: AgentStories(database).tell(project, agent.strip()))
    if story is None:
        hint = f"`runledger agents list --project {project}` shows those known"
        raise NotFoundError(f"project {project} knows no agent {agent.strip()!r} ({hint})")
    if as_json:
        print_json(asdict(story))
    else:
        Screen().print(agent_view(story))


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
