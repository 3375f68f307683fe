"""What a check found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["ok", "warning", "problem", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Args:
        verdict: unknown where the check could not be made.
        found: one line for people.
        remedy: what to do, in words; empty where nothing is to be done.
        command: the same as a command, or as SQL that ends with a semicolon; empty where there is none.
        check: name of the check.
    """

    verdict: Verdict
    found: str
    remedy: str = ""
    command: str = ""
    check: str = ""


def ok(found: str) -> Finding:
    """All is well."""
    return Finding("ok", found)


def warning(found: str, remedy: str, command: str = "") -> Finding:
    """It works, and will not for ever, or not as well as it could."""
    return Finding("warning", found, remedy, command)


def problem(found: str, remedy: str, command: str = "") -> Finding:
    """It does not work, or loses something."""
    return Finding("problem", found, remedy, command)


def unknown(found: str, remedy: str = "", command: str = "") -> Finding:
    """It could not be seen."""
    return Finding("unknown", found, remedy, command)


def some(things: list[str], most: int = 3) -> str:
    """Name the first of many things, and say how many more there are."""
    named, more = ", ".join(things[:most]), len(things) - most
    return f"{named} and {more} more" if more > 0 else named


def count(number: int, thing: str) -> str:
    """Say how many of something there are."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def lasting(seconds: float) -> str:
    """Say a time in its largest two units, such as 1 d 2 h; below ten seconds with a tenth."""
    if seconds < 10:  # noqa: PLR2004  # as the line above says
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for (unit, name), (lesser, lesser_name) in zip(_UNITS, (*_UNITS[1:], (0, "")), strict=True):
        if whole >= unit:
            rest = whole % unit // lesser if lesser else 0
            return f"{whole // unit} {name}" + (f" {rest} {lesser_name}" if rest else "")
    return "0 s"
