from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from runledger.access.errors import NoProjectError
from runledger.analytics.errors import ReadUnavailableError, UnknownProjectError
from runledger.cli.errors import AmbiguousError, NotFoundError
from runledger.cli.explaining import confess, exit_code, explain
from runledger.dlq.errors import DeadLetterError, NoLetterError
from runledger.resolving import FingerprintError, UnknownFingerprintError
from runledger.sinks.errors import MigrationError
from runledger.stack.errors import StackError
from runledger.subscribers import SubscriptionError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.UndefinedTable('relation "run_event" does not exist\nLINE 20: FROM'), "runledger migrate"),
        (psycopg.OperationalError("connection failed: no\n\tIs it running?"), "no connection to Postgres: connection"),
        (errors.InsufficientPrivilege("permission denied for table run_event\n"), "42501"),
        (psycopg.ProgrammingError('missing "=" after "postgres:secret@host"'), "RUNLEDGER_POSTGRES"),
        (MigrationError("the tables could not be made: no"), "could not be made"),
        (ReadUnavailableError("the tables cannot be read"), "cannot be read; `runledger doctor`"),
        (UnknownProjectError("there is no project x"), "no project x; `runledger project list`"),
        (PermissionError(13, "Permission denied", "raw.bin"), "raw.bin: Permission denied"),
        (OSError("no space"), "no space"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_is_explained_in_one_line_without_the_password(error: Exception, words: str) -> None:
    explained = explain(error)
    assert words in explained
    assert "\n" not in explained
    assert "secret" not in explained


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFoundError("no run"), 5),
        (NoLetterError("none"), 5),
        (NoProjectError("none"), 5),
        (UnknownFingerprintError("none"), 5),
        (UnknownProjectError("none"), 5),
        (AmbiguousError("two"), 1),
        (DeadLetterError("no"), 1),
        (FingerprintError("two"), 1),
        (ReadUnavailableError("away"), 1),
        (StackError("no stack"), 1),
        (SubscriptionError("away"), 1),
        (psycopg.OperationalError("away"), 1),
        (ZeroDivisionError("ours"), 70),
    ],
)
def test_the_exit_code_tells_what_is_not_there_from_what_could_not_be_done(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def _divide() -> None:
    raise ZeroDivisionError("by\nhunter2")


def test_a_defect_is_told_in_one_line_and_its_details_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ZeroDivisionError) as raised:
        _divide()
    said = confess(raised.value, lambda text: text.replace("hunter2", "***"))
    assert "\n" not in said
    name = re.search(r"details in (\S+)$", said)
    assert name is not None
    kept = Path(name[1]).read_text(encoding="utf-8")
    assert "test_explaining.py" in kept
    assert "hunter2" not in kept
