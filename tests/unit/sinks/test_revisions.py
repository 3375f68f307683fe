"""The list of migrations is the one that is applied."""

from __future__ import annotations

from importlib.resources import files

from alembic.script import ScriptDirectory

from runledger.sinks.revisions import known_revisions


def test_the_known_migrations_are_those_that_are_applied() -> None:
    scripts = ScriptDirectory(str(files("runledger.sinks.migrations")))
    assert known_revisions() == tuple(script.revision for script in scripts.walk_revisions())[::-1]
