from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from runledger.cli.explaining import explain
from runledger.sinks.errors import MigrationError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.UndefinedTable('relation "run_event" does not exist\nLINE 20: FROM'), "runledger migrate"),
        (psycopg.OperationalError("connection failed: no\n\tIs it running?"), "no connection to Postgres: connection"),
        (errors.InsufficientPrivilege("permission denied for table run_event\n"), "42501"),
        (psycopg.ProgrammingError('missing "=" after "postgres:secret@host"'), "RUNLEDGER_POSTGRES"),
        (MigrationError("the tables could not be made: no"), "could not be made"),
    ],
)
def test_an_error_is_explained_in_one_line_without_the_password(error: Exception, words: str) -> None:
    explained = explain(error)
    assert words in explained
    assert "\n" not in explained
    assert "secret" not in explained
