"""`runledger project webhook`: where a project's incidents are sent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import orjson
import psycopg
import typer

from runledger.access.webhooks import count_deliveries, find_webhook, remove_webhook, set_webhook
from runledger.cli.connecting import connect
from runledger.cli.screen import Screen
from runledger.cli.terminal import plain

app = typer.Typer(help="Where a project's incidents are sent.", no_args_is_help=True)

_Project = Annotated[str, typer.Argument(help="Which project.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
_DataDir = Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")]
_TRIAL_SECONDS = 10


@app.command("set")
def set_command(
    project: _Project,
    url: Annotated[str, typer.Argument(help="Address that is posted to, https:// or http://.")],
    as_json: _AsJson = False,
    data_dir: _DataDir = None,
) -> None:
    """Send a project's incidents to an address from now on, and print the secret that signs them, this once.

    Setting it again replaces address and secret; what could not be delivered yet goes to the new one.

    Example: runledger project webhook set myproject https://example.com/hooks/runledger
    """
    with psycopg.connect(connect(data_dir).postgres, autocommit=True) as connection:
        secret = set_webhook(connection, project, url)
    if as_json:
        typer.echo(orjson.dumps({"project": project, "url": url, "secret": secret}).decode())
        return
    Screen(stderr=True).print(f"Incidents of {project} are sent from now on; the receiver's secret:")
    typer.echo(secret)


@app.command("show")
def show(project: _Project, as_json: _AsJson = False, data_dir: _DataDir = None) -> None:
    """Show a project's webhook and what became of its messages; never the secret.

    Examples:
        runledger project webhook show myproject
    """
    with psycopg.connect(connect(data_dir).postgres, autocommit=True) as connection:
        webhook = find_webhook(connection, project)
        counts = count_deliveries(connection, project)
    if as_json:
        document = {"project": project, "url": webhook.url, "created_at": webhook.created_at, "deliveries": counts}
        typer.echo(orjson.dumps(document).decode())
        return
    typer.echo(f"url         {plain(webhook.url)}")
    typer.echo(f"set         {webhook.created_at:%Y-%m-%d %H:%M:%S %Z}")
    typer.echo(f"delivered   {counts.delivered}")
    typer.echo(f"pending     {counts.pending}")
    typer.echo(f"given up    {counts.given_up}")
    if counts.last_delivered_at is not None:
        typer.echo(f"last        {counts.last_delivered_at:%Y-%m-%d %H:%M:%S %Z}")
    if counts.last_error is not None:
        typer.echo(f"last error  {plain(counts.last_error)}")


@app.command("remove")
def remove(project: _Project, data_dir: _DataDir = None) -> None:
    """Send a project's incidents nowhere any more; what was not delivered yet is given up.

    Examples:
        runledger project webhook remove myproject
    """
    with psycopg.connect(connect(data_dir).postgres, autocommit=True) as connection:
        remove_webhook(connection, project)
    Screen(stderr=True).print(f"Project {project} has no webhook any more")


@app.command("test")
def try_out(project: _Project, data_dir: _DataDir = None) -> None:
    """Post one signed test message from here, and say what came of it.

    Exit code: 0 it was taken, 1 it was not.

    Examples:
        runledger project webhook test myproject
    """
    from runledger.watch.messages import trial_message  # noqa: PLC0415  # only this command needs it
    from runledger.watch.posting import Outcome, open_session, post  # noqa: PLC0415  # its HTTP client is slow to import

    with psycopg.connect(connect(data_dir).postgres, autocommit=True) as connection:
        webhook = find_webhook(connection, project)
    message = trial_message(project, uuid4(), datetime.now(UTC))

    async def attempt() -> Outcome:
        async with open_session(_TRIAL_SECONDS) as session:
            return await post(session, webhook.url, webhook.secret, message)

    outcome = asyncio.run(attempt())
    if outcome.error is not None:
        typer.echo(f"runledger: the receiver did not take {message.message_id}: {outcome.error}", err=True)
        raise typer.Exit(1)
    typer.echo(f"delivered as {message.message_id}")
