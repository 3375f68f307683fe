"""`runledger verify` on a real database."""

from __future__ import annotations

import json
from collections.abc import Sequence

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from runledger.cli.verify import verify_command
from runledger.sinks.migrate import migrate

pytestmark = pytest.mark.integration


@pytest.fixture
def ledger_uri(servers: tuple[str, str], database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URI of a migrated database, which the environment names."""
    migrate(database)
    monkeypatch.setenv("RUNLEDGER_KAFKA", servers[0])
    monkeypatch.setenv("RUNLEDGER_POSTGRES", database)
    return database


def _run(arguments: Sequence[str]) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(verify_command)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout


def _break(uri: str) -> None:
    with psycopg.connect(uri) as connection:
        connection.execute("INSERT INTO failure_group VALUES ('demo', 'print', 'no such failure', now(), now(), 3)")


@pytest.mark.usefixtures("ledger_uri")
def test_verify_command_exits_with_0_where_nothing_differs() -> None:
    code, printed = _run([])
    assert code == 0
    assert "no difference" in printed


def test_verify_command_exits_with_1_and_names_what_differs(ledger_uri: str) -> None:
    _break(ledger_uri)
    code, printed = _run([])
    assert code == 1
    assert "failure_group_differs" in printed


def test_verify_command_prints_one_json_object(ledger_uri: str) -> None:
    _break(ledger_uri)
    code, printed = _run(["--json"])
    report = json.loads(printed)
    assert code == 1
    assert report["clean"] is False
    assert {one["kind"] for one in report["differences"]} == {"failure_group_differs"}
    assert {"field": "failure_count", "expected": "0", "found": "3"}.items() <= report["differences"][0].items()
