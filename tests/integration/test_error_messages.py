"""What goes wrong at a person's end is one line on stderr, and an exit code that scripts can tell apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from runledger.vitals.exits import EXIT_STOPPED

pytestmark = pytest.mark.integration

NOBODY = "127.0.0.1:1"


def runledger(kafka: str, postgres: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command against these servers."""
    environment = os.environ | {"RUNLEDGER_KAFKA": kafka, "RUNLEDGER_POSTGRES": postgres}
    command = [sys.executable, "-m", "runledger", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that says why."""
    assert result.returncode == 1, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("runledger: ")
    return line


def test_verify_without_tables_says_how_to_make_them(database: str) -> None:
    assert "runledger migrate" in refusal(runledger(NOBODY, database, "verify"))


def test_verify_without_a_database_says_so(servers: tuple[str, str]) -> None:
    nowhere = f"postgresql://postgres@{NOBODY}/runledger"
    assert "no connection to Postgres" in refusal(runledger(servers[0], nowhere, "verify"))


def test_migrate_without_a_database_says_so(servers: tuple[str, str]) -> None:
    nowhere = f"postgresql://postgres@{NOBODY}/runledger"
    assert "the tables could not be made: connection failed" in refusal(runledger(servers[0], nowhere, "migrate"))


def test_a_uri_that_is_none_is_not_quoted(servers: tuple[str, str]) -> None:
    said = refusal(runledger(servers[0], "postgres:secret@host", "verify"))
    assert "RUNLEDGER_POSTGRES" in said
    assert "secret" not in said


def test_replay_without_a_broker_says_so_at_once(database: str, tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text("")
    assert f"no broker answers at {NOBODY}" in refusal(runledger(NOBODY, database, "replay", str(file)))


def test_replay_names_the_line_of_a_file_it_cannot_read(
    servers: tuple[str, str], database: str, tmp_path: Path
) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text('{"something": "else"}\n')
    assert f"{file}, line 1" in refusal(runledger(servers[0], database, "replay", str(file)))


def test_a_worker_without_tables_stops_for_a_person_to_look(servers: tuple[str, str], database: str) -> None:
    result = runledger(servers[0], database, "worker", "relay")
    assert result.returncode == EXIT_STOPPED
    said = orjson.loads(result.stderr.splitlines()[-1])
    assert said["event"] == "stopped"
    assert "runledger migrate" in said["error"]
