"""Texts cut to their limits, with their secrets masked first: half a secret would be known by no rule."""

from __future__ import annotations

from functools import lru_cache, partial

from runledger.producers.masking import Masker

_MARGIN = 4096
"""So much beyond a cut is masked too: the longest secret, a private key, has no more characters."""

_REMEMBERED = 16
"""Texts whose cut is known: a few names of a process and what is asked of a run, each told by several events."""


class Shortener:
    """Cut texts.

    Args:
        masker: masks what is cut; what is not cut is masked later, like everything.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        # Ten thousand spans of one process may each tell the same long name.
        self._cut = lru_cache(maxsize=_REMEMBERED)(partial(_cut, masker))

    def cut(self, text: str, limit: int) -> str:
        """Shorten a text to so many characters; an ellipsis shows it."""
        return text if len(text) <= limit else self._cut(text, limit)

    def cut_within(self, text: str, limit: int) -> str:
        """Shorten a text in its middle: a stack trace names its error at one end and its cause at the other."""
        if len(text) <= limit:
            return text
        head = (limit - 1) // 2
        tail = limit - 1 - head
        if len(text) <= limit + 2 * _MARGIN:
            masked = self._masker.mask_text(text)
            return masked if len(masked) <= limit else f"{masked[:head]}…{masked[len(masked) - tail :]}"
        return f"{_beginning(self._masker, text, head)}…{_end(self._masker, text, tail)}"


def _cut(masker: Masker, text: str, limit: int) -> str:
    if len(text) <= limit + _MARGIN:
        masked = masker.mask_text(text)
        return masked if len(masked) <= limit else masked[: limit - 1] + "…"
    return _beginning(masker, text, limit - 1) + "…"


def _beginning(masker: Masker, text: str, length: int) -> str:
    """Mask more than is kept, and keep nothing of the margin, even where markers made the text shorter."""
    masked = masker.mask_text(text[: length + _MARGIN])
    return masked[: max(0, min(length, len(masked) - _MARGIN))]


def _end(masker: Masker, text: str, length: int) -> str:
    masked = masker.mask_text(text[len(text) - length - _MARGIN :])
    return masked[len(masked) - max(0, min(length, len(masked) - _MARGIN)) :]
