"""What stands where a secret stood."""

from __future__ import annotations

import re

SHORT = "***"
_OPEN = "[masked:"
_NAME = re.compile(r"[a-z0-9_-]{1,32}\]")
_NOTHING = re.compile(
    r"none|null|nil|true|false|undefined|unset|empty|redacted|hidden|required|optional|missing|invalid|expired|wrong"
    r"|incorrect|denied|disabled|enabled|string|str|bytes|int|not|yes|no|ok|set|is|was|and|or|must|may|should",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"\$\{|\$\(|\$[A-Z_]+\Z|\{\{|%\(|%s|<[\w -]{0,40}>|\{[a-zA-Z_.]*\}")


def marker(kind: str) -> str:
    """Name what was masked: the same text for every secret of a kind, so that masked errors still group."""
    return f"{_OPEN}{kind}]"


def fitting(kind: str, room: int) -> str:
    """Give the marker if it is no longer than what it replaces, else at most three asterisks.

    Args:
        kind: of the secret.
        room: characters of the secret.
    """
    full = marker(kind)
    return full if len(full) <= room else SHORT[:room]


def ends_opening(text: str, position: int) -> bool:
    """Tell whether what begins at this position of a text is the name in a marker."""
    return text.endswith(_OPEN, 0, position) and _NAME.match(text, position) is not None


def says_nothing(value: str) -> bool:
    """Tell whether a value is no secret for sure: masked before, a template, or a word like `null` and `required`."""
    return (
        value.startswith(_OPEN)
        or not value.strip("*xX.•-_ ")
        or _NOTHING.fullmatch(value) is not None
        or _TEMPLATE.match(value) is not None
    )
