"""Options that several commands take, and what may stand behind them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from runledger.intervals import MAX_INTERVAL_SECONDS, parse_interval

_RUN_PREFIX = re.compile(r"[0-9a-f]{1,32}")
_PROJECT_KEY = re.compile(r"[a-z0-9_-]{1,64}")


def project_key(text: str) -> str:
    """Read a project's key.

    Raises:
        BadParameter: it is none.
    """
    if not _PROJECT_KEY.fullmatch(text):
        raise typer.BadParameter(f"{text[:80]!r} is no project key: 1 to 64 of a-z, 0-9, _ and -")
    return text


def seconds_of(text: str) -> int:
    """Read a length of time, such as 1h30m, in seconds.

    Raises:
        BadParameter: it is none.
    """
    try:
        return parse_interval(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def moment_of(text: str, now: datetime | None = None) -> datetime:
    """Read a time with its zone, or how long ago: 90s, 30m, 2h, 1d.

    Args:
        text: as given.
        now: what "ago" counts from; this machine's clock if left out.

    Raises:
        BadParameter: it is neither.
    """
    try:
        return (now or datetime.now(UTC)) - timedelta(seconds=parse_interval(text, MAX_INTERVAL_SECONDS))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text[:80]!r} is no time: write 2026-03-01T12:00Z, or 2h for two hours ago"
        ) from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text[:80]!r} names no zone: write 2026-03-01T12:00Z or 2026-03-01T12:00+01:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise typer.BadParameter(f"{text[:80]!r} lies outside the years 1 to 9999 in UTC") from error


def run_prefix(text: str) -> str:
    """Read a run's id, or the digits it begins with: 32 hexadecimal digits at most, in lower case, without dashes.

    Raises:
        BadParameter: it is neither.
    """
    digits = text.replace("-", "").lower()
    if not _RUN_PREFIX.fullmatch(digits):
        raise typer.BadParameter(f"{text[:80]!r} is no run's id: give its first hexadecimal digits, or all 32")
    return digits


Project: TypeAlias = Annotated[str, typer.Option(help="The project.", parser=project_key, metavar="PROJECT")]
AnyProject: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Only this project's; every project's if left out.", parser=project_key, metavar="PROJECT"),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DataDir: TypeAlias = Annotated[Path | None, typer.Option(help="Data folder of the local stack to use.")]
