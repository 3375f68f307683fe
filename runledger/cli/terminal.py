"""What others wrote, so that a terminal shows it and does not obey it.

Agents name themselves and write their errors; a terminal obeys escape sequences, carriage returns and marks that turn
the direction of writing, wherever they come from.
"""

from __future__ import annotations

import re

import orjson
import typer

_UNSHOWN = "\N{REPLACEMENT CHARACTER}"
_OBEYED = re.compile(r"[^\n -~\xa0-\U0010ffff]|[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON may hold unescaped and a terminal may obey: DEL, C1 controls, and marks without a width."""


def plain(words: str) -> str:
    """Put a replacement character in place of everything that is not shown: controls, escapes, direction marks."""
    if words.isprintable():
        return words
    return "".join(letter if letter.isprintable() else _UNSHOWN for letter in words)


def plain_lines(words: str) -> str:
    """Do as `plain` with every line."""
    return "\n".join(map(plain, words.split("\n")))


def print_json(document: object) -> None:
    """Print one JSON object on stdout; what a terminal may obey is escaped, and comes out the same for a program."""
    written = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    typer.echo(_OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", written))
