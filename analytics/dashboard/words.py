"""What others wrote, made fit to be shown: a page shows it and never obeys it.

Markup is escaped by the templates. What is left are controls and marks that turn the direction of writing: a name that
holds one may read as another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

UNSHOWN = "\N{REPLACEMENT CHARACTER}"
_OBEYED = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
"""Controls but tab and line feed, and marks of direction. Joiners stay: scripts and emoji are written with them."""
_MARKS = re.compile(f"[{_OBEYED}]")
_ELLIPSIS = "…"
_MOST_TITLE = 1000


def plain(words: str, most: int | None = None) -> str:
    """Put a replacement character in place of each control and mark of direction; all line ends are line feeds.

    Args:
        words: as somebody wrote them.
        most: characters to show; where there are more, the last is an ellipsis.
    """
    if most is not None and len(words) > most:
        words = words[: most - 1].rstrip() + _ELLIPSIS
    return _MARKS.sub(UNSHOWN, words.replace("\r\n", "\n"))


def line(words: str | None, most: int) -> str | None:
    """Write the first words of a text in one line; None where there is nothing to see."""
    if words is None:
        return None
    # What is not shown is cut off before it is looked through, however long it is; white space may shrink.
    in_one = " ".join(words[: 20 * most].split())
    return plain(in_one, most) or None


def pretty_json(document: Any, most: int | None = None) -> str:  # noqa: ANN401  # any JSON value
    """Write JSON for people; what a page may obey is escaped, so that it reads as what it is.

    Args:
        document: any JSON value.
        most: characters that it may take indented; in one line beyond. Depth can make thirty of one.
    """
    # Not orjson: the tables give 1e300 back as a whole number of 301 digits.
    indented = _within(json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(document), most)
    written = json.dumps(document, ensure_ascii=False) if indented is None else indented
    return _MARKS.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _within(parts: Iterable[str], most: int | None) -> str | None:
    """Put parts together; None, and soon, where they are longer."""
    if most is None:
        return "".join(parts)
    taken, length = [], 0
    for part in parts:
        length += len(part)
        if length > most:
            return None
        taken.append(part)
    return "".join(taken)


def told(words: str | None, most: int | None = None, otherwise: str = "unknown") -> Markup:
    """Write others' words as markup that nothing around them is turned by; the whole is in the title where it is cut.

    Args:
        words: as somebody wrote them; None where nobody did.
        most: characters to show in one line; None for all, as they are.
        otherwise: what is written where there is nothing to see.
    """
    shown = plain(words or "") if most is None else line(words, most)
    if not shown or not shown.strip():
        return Markup('<span class="unknown">{}</span>').format(otherwise)
    if words is None or most is None or len(words) <= most:
        return Markup("<bdi>{}</bdi>").format(shown)
    return Markup('<bdi title="{}">{}</bdi>').format(plain(words, _MOST_TITLE), shown)
