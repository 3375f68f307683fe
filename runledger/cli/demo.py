"""`runledger demo`: the whole pipeline on 40 real agent runs, from nothing to a verified table."""

from __future__ import annotations

import os
import signal
import sys
import time
import webbrowser
from contextlib import suppress
from importlib import resources
from pathlib import Path
from types import FrameType
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from runledger.cli.progress import Steps
from runledger.cli.replay import show
from runledger.producers.settings import ProducerSettings
from runledger.replaying import Findings, look, send_file, wait_until_scored
from runledger.stack import Addresses, Plan, Stack
from runledger.stack.link_secret import browser_link

_SCORING_SECONDS = 120


def demo_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, last, on stdout.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Where to keep the data; your data folder if left out.")] = None,
    look: Annotated[
        bool | None,
        typer.Option(
            "--look/--no-look",
            help="Show the dashboard, and stop only at Enter or Ctrl-C; on a terminal, unless --json.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start a real Kafka and a real Postgres, replay 40 real agent runs, verify, print, stop what was started.

    Exit code: 0 the recount found no difference, 1 it found some, or the demo could not run.

    Examples:
        runledger demo
        runledger demo --json    # totals for a program, last on stdout
    """
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    steps, stack = Steps(), Stack(data_dir)
    steps.say("[bold]Runledger demo[/bold]: 40 recorded runs of an airline support agent")
    ran_before = stack.state() is not None
    with stack.running(Plan.from_environment(), on_progress=lambda step: steps.say(f"  {step}")) as addresses:
        steps.say(
            f"[green]✓[/green] Kafka at {addresses.kafka} and the pipeline are up ({time.monotonic() - began:.1f} s)"
        )
        findings = _replay(addresses, steps)
        show(findings, as_json=as_json)
        if look if look is not None else not as_json and sys.stdin.isatty() and sys.stderr.isatty():
            _look_at_dashboard(stack, time.monotonic() - began)
    _say_how_to_go_on(stack, ran_before=ran_before, seconds=time.monotonic() - began)
    if not findings.report.clean:
        raise typer.Exit(1)


def _replay(addresses: Addresses, steps: Steps) -> Findings:
    shipped = resources.as_file(resources.files("runledger") / "data" / "airline_runs.jsonl")
    with shipped as file, steps.counting("Sending events") as progress:
        replayed = send_file(file, ProducerSettings(kafka=addresses.kafka), progress=progress)
    with psycopg.connect(addresses.postgres, autocommit=True) as connection:
        with steps.counting("Scored runs") as progress:
            wait_until_scored(connection, replayed, timeout_seconds=_SCORING_SECONDS, progress=progress)
        with steps.doing("Recounting from the audit log"):
            return look(connection, replayed)


def _look_at_dashboard(stack: Stack, seconds: float) -> None:
    """Lead to the dashboard, and wait until it was looked at."""
    state = stack.state()
    link = None if state is None else browser_link(state, stack.folder.link_secret_file)
    if link is None:
        return
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        # Elsewhere it would take over the terminal.
        webbrowser.open(link)
    typer.echo(f"After {seconds:.1f} s, the dashboard: {link}\nEnter or Ctrl-C stops the demo.", err=True)
    with suppress(KeyboardInterrupt):
        sys.stdin.readline()


def _say_how_to_go_on(stack: Stack, *, ran_before: bool, seconds: float) -> None:
    console = Console(stderr=True, highlight=False)
    root = stack.folder.root
    console.print(f"Done in {seconds:.1f} s. The data stays in [bold]{root}[/bold].", soft_wrap=True)
    if ran_before:
        console.print("The stack was running before and goes on: [bold]runledger status[/bold]")
    else:
        option = "" if root == Stack().folder.root else f" --data-dir {root}"
        console.print(f"Go on with: [bold]runledger up{option}[/bold], then runledger status, replay, verify, down")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Leave by the same way as Ctrl-C, so that what was started is stopped."""
    raise KeyboardInterrupt
