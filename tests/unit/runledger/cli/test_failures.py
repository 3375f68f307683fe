"""What `runledger failures` refuses before it asks anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.runledger.cli.test_agents import said
from tests.unit.runledger.cli.test_app import runledger


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--project", "No Project"], "is no project key"),
        (["list", "--state", "closed"], "'closed' is not one of"),
        (["list", "--limit", "0"], "greater than or equal to 1"),
        (["show"], "Missing argument"),
        (["show", "disk full"], "is no fingerprint"),
        (["show", "0" * 65], "is no fingerprint"),
        (["resolve", "xyz"], "is no fingerprint"),
        (["resolve", ""], "is no fingerprint"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: list[str], words: str) -> None:
    assert words in said(runledger("failures", *arguments))


def test_without_servers_it_says_how_to_start_them(tmp_path: Path) -> None:
    for command in (["list"], ["show", "0f"], ["resolve", "0f"]):
        result = runledger("failures", *command, "--data-dir", str(tmp_path))
        assert (result.returncode, result.stdout) == (1, "")
        assert "runledger up" in result.stderr
