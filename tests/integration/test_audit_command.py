"""`runledger audit` on a real database, as a program of its own and as cron would call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.analytics.conftest import tables, uri
from tests.integration.analytics.tables import Tables, ago

__all__ = ["tables", "uri"]

pytestmark = pytest.mark.integration


def _audit(postgres: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run(postgres, folder, "audit", *arguments)


def _run(postgres: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
    environment = kept | {"RUNLEDGER_POSTGRES": postgres, "HOME": str(folder), "COLUMNS": "120"}
    command = [sys.executable, "-m", "runledger", *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def _heard(tables: Tables, *, listened: bool) -> None:
    tables.agent("acme", "sage", name="Sage", role="Backend", expected_interval_seconds=3600)
    tables.heard("acme", "sage", ago(tables, minutes=1))
    if listened:
        tables.listened(ago(tables, days=1), tables.now() + timedelta(minutes=1))


def test_it_is_silent_and_ends_with_0_when_all_is_well(uri: str, tables: Tables, tmp_path: Path) -> None:
    _heard(tables, listened=True)
    quiet = _audit(uri, tmp_path, "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    told = _audit(uri, tmp_path)
    assert told.returncode == 0
    assert "nothing is wrong" in told.stdout
    assert "sage (Sage -- Backend)" in told.stdout


def test_it_ends_with_3_and_says_why_when_something_is_found(uri: str, tables: Tables, tmp_path: Path) -> None:
    _heard(tables, listened=True)
    tables.agent("acme", "nova", expected_interval_seconds=3600)
    tables.heard("acme", "nova", ago(tables, hours=5))
    tables.health("acme", "nova", ago(tables, hours=5), silent=3)
    told = _audit(uri, tmp_path, "--project", "acme", "--quiet")
    assert told.returncode == 3
    assert "1 of 2 agents need a look" in told.stdout
    assert "silent 3 runs in a row, not heard for 5h" in told.stdout
    assert "expected every 1h" in told.stdout


def test_it_ends_with_4_when_the_pipeline_is_behind(uri: str, tables: Tables, tmp_path: Path) -> None:
    _heard(tables, listened=False)
    told = _audit(uri, tmp_path, "--quiet")
    assert told.returncode == 4
    assert "nobody is judged quiet" in told.stdout


def test_it_prints_one_json_object_for_programs(uri: str, tables: Tables, tmp_path: Path) -> None:
    _heard(tables, listened=True)
    tables.health("acme", "sage", tables.now(), failed=3)
    told = _audit(uri, tmp_path, "--json")
    document = json.loads(told.stdout)
    assert (told.returncode, document["agents"], document["judged"]) == (3, 1, True)
    assert document["states"] == {"failing": 1}
    assert document["pipeline"]["state"] == "current"
    (agent,) = document["found"]
    assert (agent["project_key"], agent["open_incidents"]) == ("acme", [])
    assert (agent["agent_id"], agent["state"], agent["findings"]) == ("sage", "failing", ["failing"])


def test_an_unknown_project_is_an_error_and_no_success(uri: str, tmp_path: Path) -> None:
    told = _audit(uri, tmp_path, "--project", "typo")
    hint = "`runledger project list` shows those that are there"
    assert (told.returncode, told.stderr) == (5, f"runledger: there is no project typo; {hint}\n")


def test_a_database_that_is_away_is_an_error_in_one_line(tmp_path: Path) -> None:
    told = _audit("postgresql://postgres@127.0.0.1:1/none", tmp_path)
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1].startswith("runledger: the ledger's tables cannot be read")


def test_agents_are_listed_without_a_broker(uri: str, tables: Tables, tmp_path: Path) -> None:
    _heard(tables, listened=True)
    told = _run(uri, tmp_path, "agents", "list")
    assert (told.returncode, "Sage -- Backend" in told.stdout) == (0, True), told.stderr
