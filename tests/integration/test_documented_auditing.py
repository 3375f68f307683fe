"""Every example of docs/auditing.md, run against real tables."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runledger.analytics.counters import ENTRY_POINTS, CompletedCounts
from runledger.cli.app import application
from tests import documents
from tests.integration.analytics.conftest import tables, uri
from tests.integration.analytics.tables import Tables, ago

__all__ = ["tables", "uri"]

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def environment(uri: str, tables: Tables, tmp_path: Path) -> dict[str, str]:
    """What a shell finds: the command, and tables with the agents of the page: one is well, one fails, one is quiet."""
    tables.agent("myproject", "scout", expected_interval_seconds=3600)
    tables.heard("myproject", "scout", ago(tables, hours=5))
    for agent, name, role, failed in (("sage", "Sage", "Backend", 0), ("nova", "Nova", "Security", 4)):
        tables.agent("myproject", agent, name=name, role=role)
        tables.heard("myproject", agent, tables.now())
        tables.health("myproject", agent, tables.now(), failed=failed)
        tables.logged("myproject", agent, tables.now(), status="failed" if failed else "success", failures=failed)
    tables.listened(ago(tables, days=1), tables.now())
    command = tmp_path / "runledger"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m runledger "$@"\n')
    command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNLEDGER_")}
    return kept | {"RUNLEDGER_POSTGRES": uri, "PATH": f"{tmp_path}:{os.environ['PATH']}", "COLUMNS": "120"}


def _run(command: list[str], environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_each_command_runs_and_finds_the_agent_that_fails(environment: dict[str, str], tmp_path: Path) -> None:
    plain, as_json, script = (
        _run(["sh", "-c", text], environment, tmp_path) for text in documents.examples("docs/auditing.md", "sh")
    )
    assert (plain.returncode, as_json.returncode, script.returncode) == (3, 3, 0)
    shown = documents.example("docs/auditing.md", "text")
    assert [line.rstrip() for line in plain.stdout.splitlines()] == shown.splitlines()
    assert '"agent_id": "nova"' in as_json.stdout
    assert script.stdout == "agents need a look\n"
    assert '"nova"' in (tmp_path / "findings.json").read_text()


def test_the_line_for_cron_runs(environment: dict[str, str], tmp_path: Path) -> None:
    *settings, line = documents.example("docs/auditing.md", "cron").splitlines()
    assert all(re.fullmatch(r"[A-Z_]+=\S+", setting) for setting in settings)
    done = _run(["sh", "-c", documents.scheduled(line)], environment, tmp_path)
    assert (done.returncode, done.stderr) == (3, "")
    assert "nova" in done.stdout


def test_each_program_runs(environment: dict[str, str], tmp_path: Path) -> None:
    audit, count = documents.examples("docs/auditing.md", "python")
    done = _run([sys.executable, "-W", "error", "-c", audit], environment, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nova ('failing',)" in done.stdout
    assert "sage success False did it None" in done.stdout
    names: dict[str, Any] = {}
    exec(count, names)  # noqa: S102  # it is our own documentation
    counts = CompletedCounts({"improvement_loops": names["improvement_loops"]})
    assert asyncio.run(counts.since(datetime.now(UTC))) == {"improvement_loops": 4}


def test_each_question_in_sql_is_answered_to_the_reading_role(environment: dict[str, str]) -> None:
    setup, *questions = documents.examples("docs/auditing.md", "sql")
    with psycopg.connect(environment["RUNLEDGER_POSTGRES"]) as connection:
        connection.execute(setup.replace("auditor", "documented_auditor").encode())
        connection.execute("SET ROLE documented_auditor")
        found = [connection.execute(question.encode()).fetchall() for question in questions]
        connection.rollback()
    assert [len(rows) for rows in found] == [2, 1, 3]


def test_the_entry_point_is_of_our_group() -> None:
    declared = tomllib.loads(documents.example("docs/auditing.md", "toml"))
    assert list(declared["project"]["entry-points"]) == [ENTRY_POINTS]


def test_the_command_is_there() -> None:
    assert "audit" in {command.name for command in application().registered_commands}
