"""Texts cut to their limits, with their secrets masked first: half a secret would be known by no rule."""

from __future__ import annotations

from runledger.producers.masking import Masker

_MARGIN = 4096
"""So much beyond a limit is masked too: the longest secret, a private key, has no more characters."""


class Shortener:
    """Cut texts.

    Args:
        masker: masks what is cut; what is not cut is masked later, like everything.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    def cut(self, text: str, limit: int) -> str:
        """Shorten a text to so many characters; an ellipsis shows it."""
        if len(text) <= limit:
            return text
        return self._masker.mask_text(text[: limit + _MARGIN])[: limit - 1] + "…"

    def cut_within(self, text: str, limit: int) -> str:
        """Shorten a text in its middle: a stack trace names its error at one end and its cause at the other."""
        if len(text) <= limit:
            return text
        head = (limit - 1) // 2
        tail = limit - 1 - head
        if len(text) <= 2 * (limit + _MARGIN):
            masked = self._masker.mask_text(text)
            if len(masked) <= limit:
                return masked
            return f"{masked[:head]}…{masked[len(masked) - tail :]}"
        beginning = self._masker.mask_text(text[: head + _MARGIN])
        end = self._masker.mask_text(text[len(text) - tail - _MARGIN :])
        return f"{beginning[:head]}…{end[-tail:]}"
