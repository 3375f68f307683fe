"""The command line as a whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from runledger.cli.app import application

COMMANDS = (
    "demo",
    "up",
    "status",
    "down",
    "replay",
    "verify",
    "migrate",
    "agents set",
    "agents unset",
    "agents list",
    "project create",
    "project list",
    "project rotate",
    "worker processor",
    "worker sink",
    "worker relay",
    "worker watch",
    "project publish",
    "project unpublish",
    "project webhook set",
    "project webhook show",
    "project webhook remove",
    "project webhook test",
    "worker scorer",
)


def runledger(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that knows of no servers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
    command = [sys.executable, "-m", "runledger", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = runledger(*command.split(), "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_the_help_names_every_command() -> None:
    listed = runledger("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"\b{command.split()[0]}\b", listed)


def test_a_wrong_option_ends_with_a_usage_error() -> None:
    result = runledger("status", "--no-such-option")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_what_we_can_explain_is_one_line_and_no_traceback(tmp_path: object) -> None:
    result = runledger("verify", "--data-dir", f"{tmp_path}/nothing")
    assert result.returncode == 1
    assert result.stderr.startswith("runledger: no stack runs on ")
    assert len(result.stderr.splitlines()) == 1


def test_one_command_is_put_together_alone_and_all_where_none_is_named() -> None:
    (only,) = application("verify").registered_commands
    assert only.name == "verify"
    names = [command.name for command in application("no-such").registered_commands]
    assert names == [command.name for command in application().registered_commands]
    assert len(names) > 1


def test_a_command_imports_no_others() -> None:
    """Each process of the pipeline starts in half the time for it."""
    loaded = "import sys; from runledger.cli.app import run; run(['worker', 'sink', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=60)
    assert not {"alembic", "runledger.doctor", "runledger.analytics"} & set(done.stdout.split())
