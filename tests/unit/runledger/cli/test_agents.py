"""What `runledger agents` refuses before it asks anybody."""

from __future__ import annotations

import subprocess

import pytest

from tests.unit.runledger.cli.test_app import runledger


def said(result: subprocess.CompletedProcess[str]) -> str:
    """Return what was said in its frame, on one line."""
    assert result.returncode == 2, result.stderr
    return " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["set", "sage"], "nothing to set"),
        (["set", "--every", "1h"], "name one agent, or give --all"),
        (["set", "sage", "--all", "--every", "1h"], "name one agent, or give --all"),
        (["set", "--all", "--role", "Backend"], "a whole project has no name, role or retirement"),
        (["set", "--all", "--every", "1h", "--retired"], "a whole project has no name, role or retirement"),
        (["set", "sage", "--every", "hourly"], "is no length of time"),
        (["set", "sage", "--deadline", "soon"], "is no length of time"),
        (["set", "sage", "--silent-after", "0"], "greater than or equal to 1"),
        (["set", "sage", "--failing-after", "many"], "should be a valid integer"),
        (["set", "sage", "--failing-after", "2147483648"], "less than or equal to"),
        (["set", "sage", "--every", "1h", "--project", "No Project"], "is no project key"),
        (["unset"], "name one agent, or give --all"),
        (["list", "--project", "No Project"], "is no project key"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: list[str], words: str) -> None:
    assert words in said(runledger("agents", *arguments))


def test_without_servers_it_says_how_to_start_them(tmp_path: object) -> None:
    result = runledger("agents", "set", "sage", "--every", "1h", "--data-dir", f"{tmp_path}/nothing")
    assert result.returncode == 1
    assert "runledger up" in result.stderr
