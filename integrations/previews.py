"""The excerpt of a prompt that goes into a usage report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runledger.producers.masking import Masker
from runledger.schemas.values import MAX_SUMMARY

_WINDOW = 8 * MAX_SUMMARY
"""Characters that are masked before the cut, so that no half of a secret stays at its edge; few enough to be quick."""


def last_user_text(asked: object) -> str | None:
    """Find what the user said last: in chat messages, in the input of a response, or in texts to be embedded.

    Args:
        asked: text, or a list of texts or of messages with a role and a content; None if there is none.
    """
    if isinstance(asked, str):
        return asked or None
    if not isinstance(asked, Sequence):
        return None
    for item in reversed(asked):
        if isinstance(item, str):
            return item or None
        if isinstance(item, Mapping) and item.get("role") == "user" and (text := _text_of(item.get("content"))):
            return text
    return None


def _text_of(content: object) -> str | None:
    """Join the text parts of a message; images and files are left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return None
    texts = [part.get("text") for part in content if isinstance(part, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str)) or None


def preview(text: str | None, masker: Masker) -> str | None:
    """Mask a text and cut it to what a prompt_preview holds; a cut one ends in an ellipsis.

    Characters that no database takes (NUL, lone surrogates) are written as escapes.
    """
    if text is None:
        return None
    window = text[:_WINDOW].encode(errors="backslashreplace").decode().replace("\x00", "\\x00")
    masked = masker.mask_text(window, MAX_SUMMARY)
    if len(masked) <= MAX_SUMMARY and len(text) <= _WINDOW:
        return masked
    return f"{masked[: MAX_SUMMARY - 1]}…"
