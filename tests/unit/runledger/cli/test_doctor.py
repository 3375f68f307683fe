"""How the doctor's findings look, and its exit code."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from runledger.cli.doctor import exit_code, print_findings, shown
from runledger.doctor import Finding, Verdict

LONG = "export RUNLEDGER_PARTITIONS=8 " + "and so on " * 12


def _printed(*findings: Finding, width: int = 80, quiet: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_findings(console, findings, quiet=quiet)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _finding(verdict: Verdict, found: str = "it is so", command: str = "", check: str = "topics") -> Finding:
    return Finding(verdict, found, "do this" if verdict != "ok" else "", command, check)


@pytest.mark.parametrize(
    ("verdicts", "strict", "code"),
    [
        (("ok",), False, 0),
        (("ok", "warning"), False, 0),
        (("ok", "warning"), True, 3),
        (("problem", "unknown"), False, 3),
        (("unknown", "warning"), False, 4),
    ],
)
def test_the_exit_code_says_the_worst(verdicts: tuple[Verdict, ...], strict: bool, code: int) -> None:
    assert exit_code([_finding(verdict) for verdict in verdicts], strict=strict) == code


@pytest.mark.parametrize("width", [80, 100])
def test_lines_fit_and_a_command_is_never_broken(width: int) -> None:
    text = _printed(_finding("problem", "a finding of many words " * 9, LONG), _finding("ok"), width=width)
    lines = text.splitlines()
    assert [line.strip() for line in lines if LONG.strip() in line] == [LONG.strip()]
    assert all(len(line) <= width for line in lines if LONG.strip() not in line)
    assert lines[-1] == "1 problem, 1 check found nothing wrong"


def test_checks_that_failed_for_one_reason_are_told_once() -> None:
    away = [_finding("unknown", "the broker is away", check=name) for name in ("topics", "groups")]
    text = " ".join(_printed(away[0], _finding("ok", check="disk"), away[1]).split())
    assert "2 checks the broker is away: topics, groups" in text
    assert text.count("do this") == 1
    assert text.endswith("2 checks could not be made, 1 check found nothing wrong")


def test_quiet_leaves_out_what_is_well() -> None:
    assert "disk" not in _printed(_finding("ok", check="disk"), _finding("warning"), quiet=True)


def test_neither_secrets_nor_escapes_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_KAFKA_PASSWORD", "marked-3a")
    (found,) = shown([_finding("problem", "refused marked-3a \x1b[31m", "psql postgresql://u:marked-4b@h/d")])
    assert "marked" not in found.found + found.command
    assert "\x1b" not in found.found
