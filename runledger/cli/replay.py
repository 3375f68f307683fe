"""`runledger replay`: send a file of runs, and show what the ledger makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import psycopg
import typer

from runledger.cli.connecting import connect, require_broker
from runledger.cli.progress import Steps
from runledger.cli.report import agents_table, print_totals, runs_table
from runledger.cli.screen import Screen
from runledger.cli.verify import print_report
from runledger.producers.settings import ProducerSettings
from runledger.replaying import Findings, look, send_file, wait_until_scored


def replay_command(
    file: Annotated[Path, typer.Argument(help="Runs, one a line.", exists=True, dir_okay=False, readable=True)],
    rate: Annotated[
        float | None, typer.Option(help="Events per second; as fast as it goes if left out.", min=0.1)
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every finished run is scored.")] = False,
    timeout: Annotated[float, typer.Option(help="How many seconds --wait waits.", min=1)] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, last, on stdout.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")] = None,
) -> None:
    """Send the runs of a file, with their own times and ids: a second replay changes nothing.

    Exit code: 0 all was sent, 1 it could not be, or the recount that follows --wait found a difference.

    Examples:
        runledger replay runs.jsonl
        runledger replay runs.jsonl --wait     # until every run is scored
        runledger replay runs.jsonl --rate 50  # events a second
    """
    addresses = connect(data_dir)
    require_broker(addresses)
    steps = Steps()
    settings = ProducerSettings(kafka=addresses.kafka)
    with steps.counting("Sending events") as progress:
        replayed = send_file(file, settings, rate=rate, progress=progress)
    if not wait:
        sent = {"events": replayed.events, "runs": len(replayed.runs)}
        _print_json(sent) if as_json else steps.say(f"{sent['events']} events of {sent['runs']} runs are in the log")
        return
    with psycopg.connect(addresses.postgres, autocommit=True) as connection:
        with steps.counting("Scored runs") as progress:
            wait_until_scored(connection, replayed, timeout_seconds=timeout, progress=progress)
        with steps.doing("Recounting from the audit log"):
            findings = look(connection, replayed)
    show(findings, as_json=as_json)
    if not findings.report.clean:
        raise typer.Exit(1)


def show(findings: Findings, *, as_json: bool) -> None:
    """Print what the ledger says of the runs replayed: tables for people, or one JSON object."""
    totals = findings.totals()
    if as_json:
        _print_json(totals)
        return
    console = Screen()
    console.print(runs_table(findings.runs))
    console.print(agents_table(findings.agents))
    print_totals(console, totals)
    print_report(console, findings.report)


def _print_json(document: dict[str, object] | dict[str, int]) -> None:
    typer.echo(orjson.dumps(document).decode())
