"""The migrations that this program knows; apart from what applies them, which takes a moment to import."""

from __future__ import annotations

from importlib.resources import files


def known_revisions() -> tuple[str, ...]:
    """The numbers of the SQL files, the oldest first."""
    names = (file.name for file in files("runledger.sinks.migrations").iterdir())
    return tuple(sorted(name.partition("_")[0] for name in names if name.endswith(".sql")))
