"""Puts the commands together, and turns our own errors into one line and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import typer

from runledger.cli.completion import PROGRAM, completed_command
from runledger.cli.helping import shown, teach
from runledger.cli.screen import take_any_letter
from runledger.cli.terminal import plain_lines
from runledger.redaction import redactor

_INTERRUPTED = 130
_EXAMPLES = """
    runledger demo                     # see it work, from nothing, in a minute
    runledger up                       # Kafka, Postgres and the pipeline
    runledger top                      # live agents and runs
    runledger tail --type failure      # events as they come
    runledger audit                    # who needs a look
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command, or a group of them, is found.

    Args:
        panel: of the help.
        module: in runledger.cli.
        part: what it is called there.
    """

    panel: str
    module: str
    part: str = "app"


COMMANDS = {
    "demo": Entry("Start", "demo", "demo_command"),
    "up": Entry("Start", "stack", "up"),
    "status": Entry("Start", "stack", "status"),
    "down": Entry("Start", "stack", "down"),
    "top": Entry("Look", "top", "top_command"),
    "tail": Entry("Look", "tail", "tail_command"),
    "run": Entry("Look", "run"),
    "agents": Entry("Look", "agents"),
    "costs": Entry("Look", "costs", "costs_command"),
    "failures": Entry("Look", "failures"),
    "audit": Entry("Look", "audit", "audit_command"),
    "replay": Entry("Use", "replay", "replay_command"),
    "verify": Entry("Use", "verify", "verify_command"),
    "mcp": Entry("Use", "mcp", "mcp_command"),
    "doctor": Entry("Operate", "doctor", "doctor_command"),
    "migrate": Entry("Operate", "worker", "migrate_command"),
    "prune": Entry("Operate", "prune", "prune_command"),
    "dlq": Entry("Operate", "dlq"),
    "erase": Entry("Operate", "erase"),
    "project": Entry("Operate", "project"),
    "worker": Entry("Operate", "worker"),
    "completion": Entry("Operate", "completion", "completion_command"),
}
"""{name: where it is}, in the order of the help."""


def application(asked: str | None = None) -> typer.Typer:
    """Put the commands together.

    Args:
        asked: the one that will run: importing the others takes most of a second. All of them, if it is none.
    """
    app = typer.Typer(
        name="runledger",
        help="The exact ledger of AI-agent runs.",
        epilog=shown(_EXAMPLES),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,  # `runledger completion` says it without guessing the shell, and writes to no file
        rich_markup_mode="rich",
    )
    app.callback()(_nothing)  # or a single command would be the whole application
    for name, entry in COMMANDS.items() if asked not in COMMANDS else [(asked, COMMANDS[asked])]:
        part = getattr(import_module(f"runledger.cli.{entry.module}"), entry.part)
        if isinstance(part, typer.Typer):
            app.add_typer(part, name=name, rich_help_panel=entry.panel)
        else:
            app.command(name, rich_help_panel=entry.panel)(part)
    teach(app)
    return app


def _nothing() -> None:
    pass


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code.

    Whatever goes wrong ends in one line on stderr, never in a traceback.
    """
    take_any_letter()
    try:
        asked = arguments[0] if arguments else completed_command(os.environ)
        if asked != "worker":
            # Libraries' warnings are for logs; a person is told in our own words.
            logging.getLogger().addHandler(logging.NullHandler())
        application(asked)(arguments, prog_name=PROGRAM)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001  # a defect of ours too is told in one line
        from runledger.cli import explaining  # noqa: PLC0415  # imports every package

        redact = redactor(os.environ)
        is_known = isinstance(error, explaining.EXPLAINED)
        words = redact(explaining.explain(error)) if is_known else explaining.confess(error, redact)
        sys.stderr.write(f"runledger: {plain_lines(words)}\n")
        return explaining.exit_code(error)
    return 0
