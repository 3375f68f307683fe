"""The page of commands tells what `--help` does."""

from __future__ import annotations

import re

import typer

from reference.cli import cli_page, options_of, walk
from runledger.cli.app import COMMANDS, application

PAGE = cli_page()


def section(command: str) -> str:
    return PAGE.partition(f"### `runledger {command}`\n")[2].partition("\n### ")[0]


def test_every_command_has_its_place() -> None:
    told = re.findall(r"^### `runledger ([a-z ]+)`$", PAGE, re.MULTILINE)
    there = [path for path, _ in walk(typer.main.get_command(application())) if path]
    assert sorted(told) == sorted(there)
    assert {path.split()[0] for path in told} == COMMANDS.keys()


def test_every_option_stands_below_its_command() -> None:
    for path, command in walk(typer.main.get_command(application())):
        missing = [name for it in options_of(command) for name in it.opts if f"`{name}" not in section(path)]
        assert missing == [], path


def test_an_option_is_told_with_default_bounds_and_form() -> None:
    assert "| `--limit N` | `20`, 1 to 200 | At most so many, the newest. |" in section("run list")
    assert "| `--status running\\|completed\\|failed\\|interrupted` |  | Only those that are so. |" in section(
        "run list"
    )
    assert "| `--follow`, `--no-follow` | `--follow` |" in section("tail")


def test_usage_examples_and_exit_codes_are_told() -> None:
    told = section("replay")
    assert "runledger replay [OPTIONS] FILE" in told
    assert "runledger replay runs.jsonl --rate 50  # events a second" in told
    assert "Exit code: 0 all was sent" in told


def test_what_is_hidden_is_left_out() -> None:
    app = typer.Typer()
    app.command("shown")(_nothing)
    app.command("kept-back", hidden=True)(_nothing)
    assert [path for path, _ in walk(typer.main.get_command(app))] == ["", "shown"]


def _nothing() -> None:
    pass
