"""The rules in a hurry: every duration and every limit of time divided by one number, and nothing else changed."""

from __future__ import annotations

import re
from typing import Any

FACTOR = 20
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?<!\w)(?P<number>[0-9]+)(?P<unit>[smhd])(?!\w)")
_LIMIT = re.compile(r"\* 60\b")
"""As alerts.yml writes each limit of time: in minutes, `2 * 60`."""


def shortened(rules: dict[str, Any], factor: int = FACTOR) -> dict[str, Any]:
    """Return the rules of a file with all times divided.

    Args:
        rules: as they stand in the file.
        factor: by what.
    """
    groups = [
        {**group, "rules": [_shortened_rule(rule, factor) for rule in group["rules"]]} for group in rules["groups"]
    ]
    return {"groups": groups}


def _shortened_rule(rule: dict[str, Any], factor: int) -> dict[str, Any]:
    changed = {**rule, "expr": _LIMIT.sub(f"* {60 / factor:g}", shortened_durations(rule["expr"], factor))}
    return changed | {"for": shortened_durations(rule["for"], factor)} if "for" in rule else changed


def shortened_durations(text: str, factor: int) -> str:
    """Divide the durations of a text, such as [5m] or offset 15m; results are in whole milliseconds."""

    def divided(found: re.Match[str]) -> str:
        return f"{int(found['number']) * _SECONDS[found['unit']] * 1000 // factor}ms"

    return _DURATION.sub(divided, text)
