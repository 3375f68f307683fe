"""Which tables and columns a piece of SQL names; keywords are written in capitals, as in all of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

_NO_TABLES = re.compile(
    r"(?:\b(?:extract|substring|trim|overlay)\s*\([^()]*?\bFROM\b|\bDISTINCT FROM\b|\bREVOKE\b[^;]*)", re.IGNORECASE
)
_RELATION = re.compile(
    r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|VIEW)\s+(?:ONLY\s+)?(?P<name>[a-z_][a-z0-9_]*)(?![a-z0-9_.(])(?:\s+(?:AS\s+)?(?P<alias>[a-z_]+))?"
)
_DEFINED = re.compile(r"(?:\bWITH(?:\s+RECURSIVE)?|,)\s+([a-z_]\w*)\s+AS\s+(?:(?:NOT\s+)?MATERIALIZED\s+)?\(")
_COLUMN = re.compile(r"(?<![\w.'])(?P<of>[a-z_][a-z0-9_]*)\.(?P<name>[a-z_][a-z0-9_]*)(?![\w(])")


def relations_and_columns(sql: str) -> Iterator[tuple[Literal["table", "column"], str]]:
    """Find tables and views by what stands before them, and columns that say whose they are."""
    text = _NO_TABLES.sub(" ", sql)
    own = set(_DEFINED.findall(text))
    called: dict[str, str] = {}
    for found in _RELATION.finditer(text):
        if found["name"] not in own and not found["name"].startswith("pg_"):
            yield "table", found["name"]
            called |= {found["name"]: found["name"], found["alias"] or found["name"]: found["name"]}
    for found in _COLUMN.finditer(text):
        if found["of"] in called:
            yield "column", f"{called[found['of']]}.{found['name']}"
