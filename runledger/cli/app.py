"""Puts the commands together, and turns our own errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from runledger.cli import (
    agents,
    audit,
    demo,
    dlq,
    doctor,
    erase,
    failures,
    mcp,
    project,
    prune,
    replay,
    stack,
    verify,
    worker,
)
from runledger.cli.explaining import EXPLAINED, explain
from runledger.cli.terminal import plain_lines
from runledger.redaction import redactor

app = typer.Typer(
    name="runledger",
    help="The exact ledger of AI-agent runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo", rich_help_panel="Start")(demo.demo_command)
app.command("up", rich_help_panel="Start")(stack.up)
app.command("status", rich_help_panel="Start")(stack.status)
app.command("down", rich_help_panel="Start")(stack.down)
app.command("replay", rich_help_panel="Use")(replay.replay_command)
app.command("audit", rich_help_panel="Use")(audit.audit_command)
app.command("verify", rich_help_panel="Use")(verify.verify_command)
app.command("mcp", rich_help_panel="Use")(mcp.mcp_command)
app.command("doctor", rich_help_panel="Operate")(doctor.doctor_command)
app.command("migrate", rich_help_panel="Operate")(worker.migrate_command)
app.command("prune", rich_help_panel="Operate")(prune.prune_command)
app.add_typer(agents.app, name="agents", rich_help_panel="Operate")
app.add_typer(dlq.app, name="dlq", rich_help_panel="Operate")
app.add_typer(erase.app, name="erase", rich_help_panel="Operate")
app.add_typer(failures.app, name="failures", rich_help_panel="Use")
app.add_typer(project.app, name="project", rich_help_panel="Operate")
app.add_typer(worker.app, name="worker", rich_help_panel="Operate")

_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code.

    What we know how to explain ends in one line on stderr and code 1, never in a traceback.
    """
    try:
        app(arguments)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except EXPLAINED as error:
        sys.stderr.write(f"runledger: {plain_lines(redactor(os.environ)(explain(error)))}\n")
        return 1
    return 0
