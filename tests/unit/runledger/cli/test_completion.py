"""Completion as bash does it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runledger.cli.completion import completed_command

_BASH = """
eval "$(runledger completion bash)"
complete -p runledger >/dev/null || exit 9
COMP_WORDS=({words}); COMP_CWORD={place}
"$(complete -p runledger | sed 's/.*-F \\([^ ]*\\).*/\\1/')" runledger
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(*words: str) -> list[str]:
    """Return what bash would offer for the last word."""
    bash = shutil.which("bash")
    assert bash is not None
    script = _BASH.format(words=" ".join(map(shlex.quote, ("runledger", *words))), place=len(words))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [bash, "--norc", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ta"], ["tail"]),
        (["agents", "s"], ["set", "show"]),
        (["tail", "--type", "ti"], ["timed-out"]),
        (["costs", "--by", ""], ["agent", "model", "day", "project"]),
    ],
    ids=["command", "command of a group", "value", "every value"],
)
def test_bash_completes_commands_options_and_values(words: list[str], offered: list[str]) -> None:
    assert completed(*words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_lines_that_name_our_program(shell: str) -> None:
    command = [sys.executable, "-m", "runledger", "completion", shell]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "runledger" in done.stdout
    assert f"_RUNLEDGER_COMPLETE=complete_{shell}" in done.stdout


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({}, None),
        ({"COMP_WORDS": "runledger tail"}, None),
        ({"_RUNLEDGER_COMPLETE": "complete_bash", "COMP_WORDS": "runledger ta", "COMP_CWORD": "1"}, None),
        ({"_RUNLEDGER_COMPLETE": "complete_bash", "COMP_WORDS": "runledger tail --t", "COMP_CWORD": "2"}, "tail"),
        ({"_RUNLEDGER_COMPLETE": "complete_bash", "COMP_WORDS": "runledger tail ", "COMP_CWORD": "2"}, "tail"),
        ({"_RUNLEDGER_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "runledger ta"}, None),
        ({"_RUNLEDGER_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "runledger tail "}, "tail"),
        ({"_RUNLEDGER_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "runledger tail 'a"}, "tail"),
        ({"_RUNLEDGER_COMPLETE": "complete_bash"}, None),
    ],
    ids=lambda given: " ".join(given.values()) if isinstance(given, dict) else str(given),
)
def test_only_the_command_being_completed_is_imported(environment: dict[str, str], command: str | None) -> None:
    assert completed_command(environment) == command
