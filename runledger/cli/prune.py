"""`runledger prune`: delete from the tables what is older than people need it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import psycopg
import structlog
import typer

from runledger.cli.connecting import connect
from runledger.cli.options import AnyProject, DataDir, Json
from runledger.cli.progress import Steps
from runledger.cli.terminal import print_json
from runledger.intervals import parse_interval, say_interval
from runledger.sinks.pruning import Pruned, Scope, preview, prune
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer

MAX_AGE_SECONDS = 100 * 366 * 24 * 3600


def _age(text: str) -> int:
    try:
        return parse_interval(text, MAX_AGE_SECONDS)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def prune_command(
    older_than: Annotated[
        int, typer.Option(parser=_age, metavar="AGE", help="Of which nothing was heard for so long: 90d, 36h.")
    ],
    *,
    project: AnyProject = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")] = False,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Delete ended runs of which nothing was heard for so long, with their events, failures and scores.

    Open runs stay, and so do figures and streaks. It may run beside the sink, and be interrupted: the next one goes on.

    Examples:
        runledger prune --older-than 90d --dry-run
        runledger prune --older-than 90d --project default
    """
    # What the sink's code logs is no part of the answer on stdout.
    structlog.configure(logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr))
    postgres = connect(data_dir).postgres
    writer = Writer(SinkSettings(postgres=postgres))
    scope = Scope(_clock(postgres) - timedelta(seconds=older_than), project)
    try:
        if dry_run:
            pruned = preview(writer, scope)
        else:
            with Steps().counting("Runs deleted") as progress:
                pruned = prune(writer, scope, progress)
    finally:
        writer.close()
    if as_json:
        print_json(_document(pruned, scope, dry_run=dry_run))
    else:
        _tell(pruned, scope, say_interval(older_than), dry_run=dry_run)


def _clock(postgres: str) -> datetime:
    """Read the database's clock: this machine's may be wrong, and a date decides what goes."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        row = connection.execute("SELECT now()").fetchone()
    now: datetime = row[0] if row else datetime.now(UTC)
    return now.astimezone(UTC)


def _document(pruned: Pruned, scope: Scope, *, dry_run: bool) -> dict[str, object]:
    return {
        "before": scope.before,
        "project": scope.project_key,
        "dry_run": dry_run,
        "rows": {table: count for table, count in sorted(pruned.rows.items()) if count},
        "days_dropped": pruned.days,
        "days_left": pruned.days_left,
    }


def _tell(pruned: Pruned, scope: Scope, age: str, *, dry_run: bool) -> None:
    whose = "all projects" if scope.project_key is None else f"project {scope.project_key}"
    done = "would go" if dry_run else "deleted"
    typer.echo(f"Of {whose}, not heard of since {scope.before:%Y-%m-%d %H:%M:%SZ} ({age}):")
    for table, count in sorted(pruned.rows.items()):
        if count:
            typer.echo(f"  {table:<20}{count:>14,} rows {done}")
    if not any(pruned.rows.values()):
        typer.echo("  nothing")
    if pruned.days:
        typer.echo(f"  {'run_event':<20}{len(pruned.days):>14,} days dropped, to {pruned.days[-1]}")
    if pruned.days_left:
        typer.echo(f"  {len(pruned.days_left):,} empty days were being read, and are dropped by the next prune")
