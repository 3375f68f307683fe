"""Pieces of Markdown that read alike on the site and as files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`+)(?:.|\n)*?\1")
_SPECIAL = re.compile(r"[<*\[\]]")


def page(title: str, intro: str, *sections: str) -> str:
    """Put a page together; it says that no hand wrote it."""
    head = f"# {title}\n\n<!-- Made from the code by `make reference`: change the code. -->\n\n{intro.strip()}"
    return "\n\n".join([head, *(section.strip() for section in sections if section.strip())]) + "\n"


def section(level: int, title: str, *paragraphs: str) -> str:
    """Put a heading above paragraphs; empty ones are left out."""
    return "\n\n".join([f"{'#' * level} {title}", *(part.strip() for part in paragraphs if part.strip())])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Draw a table, its cells in Markdown already; nothing where there are no rows."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(head), "|" + "---|" * len(head), *lines]) if lines else ""


def code(text: object) -> str:
    """Show a text as it is typed; nothing for none."""
    shown = str(text)
    if not shown:
        return ""
    fence = "``" if "`" in shown else "`"
    return f"{fence}{shown}{fence}"


def prose(text: str) -> str:
    """Show a text's words as they are, and what it has in backticks as code; its paragraphs stay."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(_plain(" ".join(paragraph.split())) for paragraph in paragraphs)


def fenced(text: str, language: str = "") -> str:
    """Show lines as they are."""
    return f"```{language}\n{text}\n```"


def _plain(words: str) -> str:
    """Escape what Markdown would take for markup, outside of code."""
    parts, begin = [], 0
    for span in _CODE.finditer(words):
        parts += [_SPECIAL.sub(r"\\\g<0>", words[begin : span.start()]), span[0]]
        begin = span.end()
    return "".join(parts) + _SPECIAL.sub(r"\\\g<0>", words[begin:])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
