"""`runledger up`, `status` and `down`: the local stack from the command line."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from runledger.cli.progress import Steps
from runledger.schemas.settings import ConnectionSettings
from runledger.stack import Plan, ServerFailedError, Stack
from runledger.stack.health import KafkaView
from runledger.stack.link_secret import browser_link
from runledger.stack.plan import consumer_groups
from runledger.stack.state import Health, StackState

EXIT_UNHEALTHY = 1
EXIT_NOT_RUNNING = 3
_LOOK_SECONDS = 0.5
_COLOURS: dict[Health, str] = {
    "healthy": "green",
    "starting": "yellow",
    "unhealthy": "red",
    "backing_off": "red",
    "stopped": "red",
}

DataDir = Annotated[Path | None, typer.Option(help="The stack's data folder; your data folder if left out.")]


def up(
    data_dir: DataDir = None,
    processors: Annotated[int, typer.Option(min=1, max=64, help="Number of processor processes.")] = 1,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and stop the stack on Ctrl-C.")] = False,
) -> None:
    """Start Kafka, Postgres and the pipeline; wait until all of it is healthy.

    Examples:
        runledger up
        runledger up --foreground               # Ctrl-C stops it
    """
    # A polite kill ends like Ctrl-C: what was begun is stopped again.
    signal.signal(signal.SIGTERM, _interrupt)
    steps, stack = Steps(), Stack(data_dir)
    began, ran_before = time.monotonic(), stack.state() is not None
    plan = Plan.from_environment(processors=processors)
    if foreground and not ran_before:
        with stack.running(plan, on_progress=lambda step: steps.say(f"  {step}")):
            _say_up(steps, stack, f"up after {time.monotonic() - began:.1f} s; Ctrl-C stops it")
            _watch(stack)
        return
    stack.start(plan, on_progress=lambda step: steps.say(f"  {step}"))
    _say_up(steps, stack, "runs already" if ran_before else f"up after {time.monotonic() - began:.1f} s")


def status(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show addresses, processes, health, restarts and how far each consumer group is behind.

    Exit code: 0 everything is healthy, 1 something is not, 3 no stack runs.

    Examples:
        runledger status
        runledger status --json
    """
    stack = Stack(data_dir)
    state = stack.state()
    if state is None:
        _say_not_running(stack, as_json=as_json)
        raise typer.Exit(EXIT_NOT_RUNNING)
    groups = consumer_groups(state.topic_prefix).values()
    lag = KafkaView(ConnectionSettings(kafka=state.kafka)).lag(groups) if state.kafka else {}
    if as_json:
        typer.echo(json.dumps(_facts(stack, state, lag)))
    else:
        _show(stack, state, lag)
    if not state.is_healthy:
        raise typer.Exit(EXIT_UNHEALTHY)


def down(data_dir: DataDir = None) -> None:
    """Stop every process of the stack; the data stays.

    Examples:
        runledger down
    """
    stack, steps = Stack(data_dir), Steps()
    if stack.stop():
        steps.say(f"[green]✓[/green] stopped; the data stays in {stack.folder.root}")
    else:
        steps.say(f"no stack runs on {stack.folder.root}")


def _watch(stack: Stack) -> None:
    while (state := stack.state()) is not None and state.phase == "running":
        time.sleep(_LOOK_SECONDS)
    raise ServerFailedError(f"the stack was stopped; see {stack.folder.logs}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say_up(steps: Steps, stack: Stack, how: str) -> None:
    steps.say(f"[green]✓[/green] the stack {how}; data in {stack.folder.root}")
    if (state := stack.state()) is not None and state.addresses is not None:
        typer.echo(state.addresses.exports())
        if (link := browser_link(state, stack.folder.link_secret_file)) is not None:
            # Not by the console, which would break a long line.
            typer.echo(
                f"Look at it: {link}\n  (logs in once, within ten minutes; `runledger up` prints another)", err=True
            )


def _say_not_running(stack: Stack, *, as_json: bool) -> None:
    last = stack.last_failure()
    if as_json:
        typer.echo(json.dumps({"phase": "not_running", "data_dir": str(stack.folder.root), "last_failure": last}))
        return
    typer.echo(f"no stack runs on {stack.folder.root}; start one with `runledger up`")
    if last is not None:
        typer.echo(f"the last one failed: {last}")


def _facts(stack: Stack, state: StackState, lag: dict[str, int | None]) -> dict[str, Any]:
    facts = state.model_dump(mode="json", exclude={"log_tail"})
    return {**facts, "healthy": state.is_healthy, "lag": lag, "data_dir": str(stack.folder.root)}


def _show(stack: Stack, state: StackState, lag: dict[str, int | None]) -> None:
    console = Console(highlight=False)
    step = f": {state.step}" if state.step else ""
    console.print(f"{state.phase}{step} (supervisor {state.supervisor.pid}, data in {stack.folder.root})")
    table = Table("process", "pid", "health", "restarts", "started (UTC)", "last exit")
    for service in state.services:
        table.add_row(
            service.name,
            str(service.process.pid) if service.process else "-",
            f"[{_COLOURS[service.health]}]{service.health}[/]",
            str(service.restarts),
            f"{service.started_at:%Y-%m-%d %H:%M:%S}" if service.started_at else "-",
            "-" if service.last_exit is None else str(service.last_exit),
        )
    console.print(table)
    for service in state.services:
        if service.reason is not None:
            console.print(f"{service.name}: {service.reason}", markup=False)
    for group, behind in lag.items():
        console.print(f"group {group}: {'unknown' if behind is None else f'{behind:,} records'} behind")
    if state.addresses is not None:
        typer.echo(state.addresses.exports())
