"""Whether a finished run shows anything for itself."""

from __future__ import annotations

from typing import Any

DECLARED_IDLE = "no_work"
"""A run that says there was nothing to do is not silent, whatever stands under this key."""


def _says_something(value: object) -> bool:
    match value:
        case None:
            return False
        case str():
            return not (not value or value.isspace())
        case dict():
            return any(_says_something(item) for item in value.values())
        case list() | tuple():
            return any(_says_something(item) for item in value)
        case _:
            return True  # 0 and false are answers


def is_silent(actions_taken: dict[str, Any] | None, traces: int, end_summary: str | None) -> bool:
    """Tell whether a run left no meaningful output: no action, no trace, no end summary. Tokens are not output."""
    if traces or _says_something(end_summary):
        return False
    actions = actions_taken or {}
    return DECLARED_IDLE not in actions and not _says_something(actions)
