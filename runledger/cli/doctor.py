"""`runledger doctor`: what is wrong with this set-up, and what to do about it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runledger.cli.progress import Steps
from runledger.cli.screen import Screen
from runledger.cli.terminal import plain, print_json
from runledger.doctor import Examination, Finding, Verdict, examine
from runledger.doctor.examination import DEFAULT_PATIENCE_SECONDS, DEFAULT_SECONDS
from runledger.redaction import redactor

EXIT_PROBLEM = 3
EXIT_UNKNOWN = 4
_STYLES: dict[Verdict, str] = {"ok": "green", "warning": "yellow", "problem": "red", "unknown": "magenta"}
_NAMES: dict[Verdict, tuple[str, str]] = {
    "problem": ("problem", "problems"),
    "warning": ("warning", "warnings"),
    "unknown": ("check could not be made", "checks could not be made"),
    "ok": ("check found nothing wrong", "checks found nothing wrong"),
}
_NAME_WIDTH, _VERDICT_WIDTH = 19, 7


def doctor_command(
    project: Annotated[
        str | None, typer.Option(help="Look at this project and its keys too.", show_default=False)
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Leave out what is well; print nothing if all is.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as problems in the exit code.")] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="What has not answered by then is unknown.", min=1, max=300)
    ] = DEFAULT_SECONDS,
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", help="What waits for longer is stuck.", min=0.5)
    ] = DEFAULT_PATIENCE_SECONDS,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")] = None,
) -> None:
    """Look at settings, broker, topics, database and workers; say what is wrong, and what to do. It changes nothing.

    Exit code: 0 no problem, 3 a problem, 4 no problem but some check could not be made.

    Examples:
        runledger doctor
        runledger doctor --quiet            # only what needs a look
        runledger doctor --strict --json
    """
    steps = Steps()
    with steps.waiting("Looking at everything"):
        seen = examine(os.environ, data_dir, project=project, seconds=timeout, patience_seconds=patience)
    findings = tuple(shown(seen.findings))
    code = exit_code(findings, strict=strict)
    if as_json:
        print_json(_document(seen, findings))
    elif not quiet or any(one.verdict != "ok" for one in findings):
        print_findings(Screen(), findings, quiet=quiet)
    if not seen.is_done:
        _leave(code)
    if code:
        raise typer.Exit(code)


def _leave(code: int) -> None:
    """End at once: threads that wait within the client library crash the interpreter's own way out."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def shown(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Take the environment's secrets out of what libraries said, and what a terminal would obey."""
    redact = redactor(os.environ)
    for one in findings:
        texts = {name: plain(redact(getattr(one, name))) for name in ("found", "remedy", "command")}
        yield Finding(one.verdict, check=one.check, **texts)


def exit_code(findings: Iterable[Finding], *, strict: bool = False) -> int:
    """Say in one number what was found."""
    verdicts = {one.verdict for one in findings}
    if "problem" in verdicts or (strict and "warning" in verdicts):
        return EXIT_PROBLEM
    return EXIT_UNKNOWN if "unknown" in verdicts else 0


def _document(seen: Examination, findings: tuple[Finding, ...]) -> dict[str, object]:
    return {
        "kafka": seen.kafka,
        "topic_prefix": seen.topic_prefix,
        "seconds": round(seen.seconds, 2),
        "counts": {verdict: sum(one.verdict == verdict for one in findings) for verdict in _STYLES},
        "findings": [asdict(one) for one in findings],
    }


def print_findings(console: Console, findings: tuple[Finding, ...], *, quiet: bool = False) -> None:
    """Show each finding, what to do below it, and the sum at the end: there a person looks first."""
    unmade: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        if one.verdict == "unknown":
            unmade.setdefault((one.found, one.remedy), []).append(one)
        elif one.verdict != "ok" or not quiet:
            _print_one(console, one)
    for alike in unmade.values():
        _print_alike(console, alike)
    console.print(_sum(findings), highlight=False)


def _print_alike(console: Console, findings: list[Finding]) -> None:
    """Checks that could not be made for one reason are told at once."""
    first, *others = findings
    if others:
        names = ", ".join(one.check for one in findings)
        first = Finding("unknown", f"{first.found}: {names}", first.remedy, first.command, f"{len(findings)} checks")
    _print_one(console, first)


def _print_one(console: Console, one: Finding) -> None:
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=_VERDICT_WIDTH)
    row.add_column(width=_NAME_WIDTH)
    row.add_column(overflow="fold")
    row.add_row(Text(one.verdict, style=_STYLES[one.verdict]), one.check, Text(one.found))
    console.print(row, highlight=False)
    if one.remedy:
        console.print(Padding(Text(f"→ {one.remedy}"), (0, 0, 0, 4), expand=False), highlight=False)
    if one.command:
        # Not wrapped by us: a line that was broken could not be copied.
        console.print(Text(f"      {one.command}", style="bold"), highlight=False, soft_wrap=True)


def _sum(findings: tuple[Finding, ...]) -> Text:
    counts = Counter(one.verdict for one in findings)
    said = Text()
    for verdict, (one, many) in _NAMES.items():
        number = len({f.check for f in findings if f.verdict == verdict}) if verdict == "ok" else counts[verdict]
        if number:
            said.append(", " if said else "")
            said.append(f"{number} {one if number == 1 else many}", style=_STYLES[verdict])
    return said
