"""`runledger verify`: recount everything from the audit, and name what differs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from runledger.cli.connecting import connect
from runledger.cli.progress import Steps
from runledger.cli.screen import Screen
from runledger.cli.terminal import plain, print_json
from runledger.settling import settled_report
from runledger.sinks.verify import Difference, Report

_SHOWN = 50


def verify_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds that work under way may take to settle.", min=0)] = 5,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")] = None,
) -> None:
    """Recount totals, streaks, failures and scores from the audit log by SQL alone.

    What is under way looks like a difference until it settles, so the recount is repeated for some seconds.

    Exit code: 0 nothing differs, 1 something does.

    Examples:
        runledger verify
        runledger verify --json --wait 30
    """
    postgres = connect(data_dir).postgres
    with psycopg.connect(postgres, autocommit=True) as connection, Steps().showing("Recounting") as progress:
        report = settled_report(connection, wait, progress)
    if as_json:
        document = {"clean": report.clean, **asdict(report)}
        print_json(document)
    else:
        print_report(Screen(), report)
    if not report.clean:
        raise typer.Exit(1)


def print_report(console: Console, report: Report) -> None:
    """Say what was recounted, what could not be compared, and show the differences."""
    console.print(
        f"Recounted {report.runs:,} runs from {report.deliveries:,} deliveries: "
        + ("[green]no difference[/green]" if report.clean else f"[red]{len(report.differences):,} differences[/red]")
    )
    for line in _remarks(report):
        console.print(line)
    for one in report.differences[:_SHOWN]:
        console.print(plain(_line(one)), style="red", markup=False, highlight=False, soft_wrap=True)
    if len(report.differences) > _SHOWN:
        console.print(f"… and {len(report.differences) - _SHOWN:,} more; --json shows them all")


def _remarks(report: Report) -> list[str]:
    remarks = (
        (report.costs_not_compared, "runs have estimated costs, which are not recounted"),
        (report.late_runs, "runs got events after they had left memory; those events are in no total"),
        (
            report.agents_not_compared,
            "agents' streaks cannot be recounted (a run erased, told twice, or revised late)",
        ),
        (report.pruned_runs, "runs were pruned: counted in figures, recounted nowhere"),
        (report.runs_not_recounted, "runs began before the tables did, and are not recounted"),
    )
    return [f"{count:,} {text}" for count, text in remarks if count]


def _line(one: Difference) -> str:
    where = f"{one.project_key}/{one.subject}" if one.project_key else one.subject
    return f"{one.kind}: {where} {one.field}: expected {one.expected or '-'}, found {one.found or '-'}"
