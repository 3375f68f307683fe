"""One way to recognise a secret, and how a text is rid of what it recognises."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from runledger.producers.masking.markers import ends_opening, fitting, marker

Span: TypeAlias = tuple[int, int]


def whole(match: re.Match[str]) -> Span:
    """Take all of a match as the secret."""
    return match.span()


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and what must stand in a text before it is worth the search.

    Every pattern takes linear time: a repetition is possessive or bounded, and none starts again within what it has
    already looked at (a literal or a look-behind opens it).

    Args:
        kind: named in the marker.
        anchors: one of these stands in every text that has such a secret; () for no such condition.
        pattern: finds candidates.
        secret_in: the span of the secret within a candidate, None if it is none; an empty span if it is none and the
            search is to go on there, behind the candidate's start.
        folded: the anchors are lower case and are looked for in the text in lower case.
    """

    kind: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]
    secret_in: Callable[[re.Match[str]], Span | None] = whole
    folded: bool = False

    def mask(self, text: str, *, short: bool) -> str:
        """Replace every secret; return the same object if there is none.

        With `short`, what is put in a secret's place is never longer than the secret.
        """
        kept: list[str] = []
        copied = looked_at = 0
        while looked_at <= len(text) and (match := self.pattern.search(text, looked_at)) is not None:
            looked_at = match.end()
            span = self.secret_in(match)
            if span is None:
                continue
            start, end = span
            if ends_opening(text, start):  # the name of a marker is no secret: masking again changes nothing
                continue
            if start == end:  # an own pattern may match nothing at all, as `(?=x)` does: that is no secret
                looked_at = max(start, match.start() + 1)
                continue
            kept += text[copied:start], fitting(self.kind, end - start) if short else marker(self.kind)
            copied = end
        return "".join((*kept, text[copied:])) if kept else text


def group(name: str) -> Callable[[re.Match[str]], Span | None]:
    """Take one named group of a match as the secret."""
    return lambda match: match.span(name)
