from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from runledger.cli.stack import EXIT_NOT_RUNNING, down, status, up
from runledger.stack.errors import FolderError

app = typer.Typer()
for command in (up, status, down):
    app.command(command.__name__)(command)


def test_status_of_no_stack_says_how_to_start_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", "--data-dir", str(tmp_path)])
    assert result.exit_code == EXIT_NOT_RUNNING
    assert "runledger up" in result.stdout


def test_status_of_no_stack_is_json_too(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", "--json", "--data-dir", str(tmp_path)])
    assert result.exit_code == EXIT_NOT_RUNNING
    assert json.loads(result.stdout) == {"phase": "not_running", "data_dir": str(tmp_path), "last_failure": None}


def test_down_without_a_stack_is_no_error(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["down", "--data-dir", str(tmp_path)]).exit_code == 0


@pytest.mark.parametrize("count", ["0", "65", "x"])
def test_up_refuses_a_strange_number_of_processors(tmp_path: Path, count: str) -> None:
    assert CliRunner().invoke(app, ["up", "--processors", count, "--data-dir", str(tmp_path)]).exit_code == 2


def test_up_names_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = CliRunner().invoke(app, ["up", "--data-dir", str(tmp_path / "file")])
    assert isinstance(result.exception, FolderError)
    assert "--data-dir" in str(result.exception)
