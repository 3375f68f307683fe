"""The SQL of the watch, one statement per file: `sql/<verb>_<noun>.sql`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> bytes:
    """Return the statement in `sql/<name>.sql`; it takes parameters only."""
    return files("runledger.watch.sql").joinpath(f"{name}.sql").read_bytes()
