"""Patterns that users add, held to a bound on their cost."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runledger.producers.errors import ConfigurationError
from runledger.producers.masking.markers import SHORT, marker
from runledger.producers.masking.rules import Rule

MAX_PATTERNS = 64
MAX_PATTERN_CHARACTERS = 500
MAX_REPEAT = 1000
MAX_WAYS = 2000
"""How many ways of matching a pattern may have to be tried at one place of a text."""

_NAME = re.compile(r"[a-z0-9_-]{1,32}")
_PART = re.compile(
    r"(?P<atom>\\(?:[1-9]|.)|\[\^?\]?(?:\\.|[^\]\\])*+\]|\((?:\?(?:P<\w+>|P=\w+\)|<?[=!]|[:>(]|[aiLmsux-]+[:)]))?|[^*+?{])"
    r"(?P<repeat>[*+?]|\{\d*,?\d*\})?(?P<mode>[+?])?",
    re.DOTALL,
)
_RANGE = re.compile(r"\{(\d*)(,?)(\d*)\}")


class MaskPatternError(ConfigurationError):
    """A pattern of the user's own cannot be used.

    Args:
        name: of the pattern.
        reason: what is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"mask pattern {name!r}: {reason}")
        self.name = name
        self.reason = reason


def own_rules(patterns: Mapping[str, str]) -> tuple[Rule, ...]:
    """Compile patterns by name; each masks all that it matches as `[masked:<name>]`.

    Raises:
        MaskPatternError: a name or a pattern that cannot be used, or more than 64.
    """
    if len(patterns) > MAX_PATTERNS:
        raise MaskPatternError(next(iter(patterns)), f"one of {len(patterns)}; {MAX_PATTERNS} are allowed")
    return tuple(_own_rule(name, pattern, tuple(patterns)) for name, pattern in patterns.items())


def _own_rule(name: str, pattern: str, names: tuple[str, ...]) -> Rule:
    if not _NAME.fullmatch(name):
        raise MaskPatternError(name, "a name has 1 to 32 of a-z, 0-9, _ and -")
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise MaskPatternError(name, f"has more than {MAX_PATTERN_CHARACTERS} characters")
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise MaskPatternError(name, f"is no regular expression: {error}") from error
    _check_cost(name, pattern)
    if compiled.search("") or any(compiled.search(text) for text in (SHORT, *map(marker, names))):
        raise MaskPatternError(name, "matches an empty text or a marker, and would mask without end")
    return Rule(name, (), compiled)


def _check_cost(name: str, pattern: str) -> None:
    """Refuse what could take more than linear time: the product of all choices at one place is bounded."""
    ways = 1
    for part in _PART.finditer(pattern):
        atom, repeat = part.group("atom"), part.group("repeat")
        if re.fullmatch(r"\\[1-9]", atom) or atom.startswith(("(?P=", "(?(")):
            raise MaskPatternError(name, "refers back to a group, which has no bound on its cost")
        if atom == "|":
            ways *= 2
        if repeat:
            least, most = _bounds(name, repeat)
            if atom == ")" and repeat != "?":
                raise MaskPatternError(name, "repeats a group; write it out, or repeat a class: [a-z-]{3,9}")
            ways *= 1 if part.group("mode") == "+" else most - least + 1
    if ways > MAX_WAYS:
        raise MaskPatternError(
            name, f"could match in {ways} ways at one place, more than {MAX_WAYS}; possessive {{m,n}}+ counts as one"
        )


def _bounds(name: str, repeat: str) -> tuple[int, int]:
    if repeat == "?":
        return 0, 1
    found = _RANGE.fullmatch(repeat)
    if found is None or (found[2] and not found[3]):
        raise MaskPatternError(name, f"repeats without end ({repeat}); give the most: {{1,200}}")
    least = int(found[1] or 0)
    most = int(found[3]) if found[2] else least
    if most > MAX_REPEAT:
        raise MaskPatternError(name, f"repeats up to {most} times, more than {MAX_REPEAT}")
    return least, most
