"""What others wrote, so that a terminal shows it and does not obey it.

Agents name themselves and write their errors; a terminal obeys escape sequences, carriage returns and marks that turn
the direction of writing, wherever they come from.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from decimal import Decimal

import orjson

from runledger.cli.screen import EXIT_PIPE_CLOSED, silence_stdout

_UNSHOWN = "\N{REPLACEMENT CHARACTER}"
_OBEYED = re.compile(r"[^\n -~\xa0-\U0010ffff]|[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON may hold unescaped and a terminal may obey: DEL, C1 controls, and marks without a width."""
_NO_ASCII = re.compile(r"[^\n -~]")
"""What an encoding other than UTF-8 may not have."""


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
    _print(_escaped(orjson.dumps(document, _as_text, orjson.OPT_INDENT_2)))


def print_json_line(document: object) -> None:
    """Do as `print_json`, on one line."""
    _print(_escaped(orjson.dumps(document, _as_text)))


def _print(line: str) -> None:
    if codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8":
        line = _NO_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], line)
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
        raise SystemExit(EXIT_PIPE_CLOSED) from None


def _escaped(written: bytes) -> str:
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", written.decode())


def _as_text(value: object) -> str:
    """Write what JSON has no type for: money, which must not pass through a float."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError
