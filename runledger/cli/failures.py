"""`runledger failures`: kinds of failures, their state, and the word that one is resolved."""

from __future__ import annotations

import asyncio
import getpass
import re
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from runledger.analytics.database import Database
from runledger.analytics.paging import Page
from runledger.analytics.reader import LedgerReader
from runledger.analytics.readings import FailureGroupReading, FailureState
from runledger.cli.connecting import connect, find_tables, require_broker
from runledger.cli.formats import moment
from runledger.cli.options import DataDir, Json, Project
from runledger.cli.screen import Screen
from runledger.cli.tables import Column, FittingTable
from runledger.cli.terminal import plain, print_json
from runledger.producers.settings import ProducerSettings
from runledger.resolving import Word, find_fingerprint, resolve_failure

app = typer.Typer(help="Failures: which kinds there are, and which of them are resolved.", no_args_is_help=True)

_PREFIX = re.compile(r"[0-9a-f]{1,64}")
_SHORT = 12
_STYLES: dict[FailureState, str] = {"open": "red", "regressed": "bold red", "resolved": "green"}


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text.lower()):
        raise typer.BadParameter(f"{text[:80]!r} is no fingerprint: give its first hexadecimal digits, or all 64")
    return text.lower()


_Kind = Annotated[
    str,
    typer.Argument(
        help="The kind of failure: as many digits as only this one begins with.", parser=_prefix, metavar="FINGERPRINT"
    ),
]


@app.command("list")
def list_command(
    project: Project = "default",
    *,
    state: Annotated[FailureState | None, typer.Option(help="Only those in this state.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, the latest.")] = 50,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List kinds of failures, the latest first.

    Examples:
        runledger failures list
        runledger failures list --state regressed
    """
    page = asyncio.run(_page(find_tables(data_dir), project, state, limit))
    if as_json:
        print_json({"failures": [asdict(group) for group in page.rows], "more": page.next_cursor is not None})
        return
    Screen().print(_table(page.rows) if page.rows else "No failure is there that fits.")
    if page.next_cursor is not None:
        Screen(stderr=True).print(f"There are more than these {limit}: --limit shows more of them.", style="dim")


@app.command("show")
def show_command(
    fingerprint: _Kind, project: Project = "default", *, as_json: Json = False, data_dir: DataDir = None
) -> None:
    """Show one kind of failure: its newest case, and what resolved it.

    Examples:
        runledger failures show 3f9a
        runledger failures show 3f9a --json
    """
    group = asyncio.run(_group(find_tables(data_dir), project, fingerprint))
    if as_json:
        print_json(asdict(group))
        return
    for name, text in _facts(group):
        typer.echo(f"{name:<12}{text}")
    if group.error is not None:
        typer.echo("\n" + "\n".join(plain(line) for line in group.error.splitlines()))


@app.command("resolve")
def resolve_command(
    fingerprint: _Kind,
    project: Project = "default",
    *,
    note: Annotated[
        str | None, typer.Option(help="How: who meets it again will read this.", show_default=False)
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Who says so; the name you are logged in with if left out.", show_default=False)
    ] = None,
    event_id: Annotated[
        str | None,
        typer.Option(help="Id of this word: given twice, it counts once.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Say that a kind of failure is resolved. If it happens again after now, it has regressed.

    Examples:
        runledger failures resolve 3f9a --note "Raised the pool to 40 connections"
    """
    addresses = connect(data_dir)
    require_broker(addresses)
    group = asyncio.run(_group(find_tables(data_dir), project, fingerprint))
    settings = ProducerSettings().model_copy(update={"kafka": addresses.kafka})
    told = resolve_failure(settings, project, group.fingerprint, Word(note, by or _own_name(), event_id))
    typer.echo(f"{group.fingerprint[:_SHORT]} was {group.state}; it is in the log that it is resolved (event {told})")


async def _page(uri: str, project: str, state: FailureState | None, limit: int) -> Page[FailureGroupReading]:
    async with Database(uri) as database:
        return await LedgerReader(database).failure_page(project, limit=limit, state=state)


async def _group(uri: str, project: str, prefix: str) -> FailureGroupReading:
    async with Database(uri) as database:
        reader = LedgerReader(database)
        fingerprint = await find_fingerprint(reader, project, prefix)
        return (await reader.recent_failures(project, fingerprint, 1))[0]


def _own_name() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process whose user has no name
        return None


def _table(groups: list[FailureGroupReading]) -> FittingTable:
    table = FittingTable(
        Column("fingerprint"),
        Column("state"),
        Column("count", right=True),
        Column("last seen", leaves=1),
        Column("agents", gives="cut", leaves=2),
        Column("summary", gives="cut"),
    )
    for group in groups:
        table.add(
            group.fingerprint[:_SHORT],
            Text(group.state, style=_STYLES[group.state]),
            f"{group.failure_count:,}",
            moment(group.last_seen_at),
            plain(", ".join(group.agents)),
            plain(" ".join(group.summary.split())),
        )
    return table


def _facts(group: FailureGroupReading) -> list[tuple[str, str]]:
    facts = (
        ("fingerprint", group.fingerprint),
        ("state", group.state),
        ("count", f"{group.failure_count:,}"),
        ("first seen", moment(group.first_seen_at)),
        ("last seen", moment(group.last_seen_at)),
        ("agents", ", ".join(group.agents)),
        ("resolved", _resolution(group)),
        ("note", group.resolution_note or group.resolved_by_summary),
        ("regressed", group.regressed_at and moment(group.regressed_at)),
        ("run", group.run_id and str(group.run_id)),
        ("task", group.task_id),
        ("summary", group.summary),
    )
    return [(name, plain(text)) for name, text in facts if text]


def _resolution(group: FailureGroupReading) -> str | None:
    if group.resolved_at is None:
        return None
    who = group.resolved_by or group.resolved_by_agent_id
    how = f"by run {group.resolved_by_run_id}" if group.resolved_by_run_id else "by word"
    return f"{moment(group.resolved_at)} {how}" + (f" of {who}" if who else "")
