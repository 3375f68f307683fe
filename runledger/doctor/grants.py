"""What the migrations grant to which role: read from their own files, so that no second list falls behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_GRANT = re.compile(r"^GRANT (?P<verbs>[A-Z, ]+) ON\s+(?P<tables>[a-z_,\s]+?)\s+TO (?P<role>runledger_[a-z]+);", re.M)
_COMMENT = re.compile(r"--[^\n]*")


@dataclass(frozen=True, slots=True)
class TableGrant:
    """A role may do something with a whole table."""

    role: str
    table: str
    verb: str


@cache
def table_grants() -> tuple[TableGrant, ...]:
    """Every grant on a whole table; those on columns and functions are left out."""
    folder = files("runledger.sinks.migrations")
    scripts = sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))
    text = "\n".join(_COMMENT.sub("", folder.joinpath(name).read_text(encoding="utf-8")) for name in scripts)
    return tuple(
        TableGrant(found["role"], table.strip(), verb.strip())
        for found in _GRANT.finditer(text)
        for table in found["tables"].split(",")
        for verb in found["verbs"].split(",")
    )


def roles() -> tuple[str, ...]:
    """The roles that the migrations make."""
    return tuple(sorted({grant.role for grant in table_grants()} | {"runledger_keys"}))


def tables() -> tuple[str, ...]:
    """Every table that some role may use."""
    return tuple(sorted({grant.table for grant in table_grants()}))
