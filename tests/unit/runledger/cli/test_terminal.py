"""What agents write is shown, and never obeyed."""

from __future__ import annotations

import io
from dataclasses import fields
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from runledger.analytics.summary import AgentRow, RunRow
from runledger.cli.report import agents_table, runs_table
from runledger.cli.terminal import plain, plain_lines, print_json
from runledger.cli.verify import print_report
from runledger.sinks.verify import Difference, Report

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202eevil[red]\x00"
OBEYED = [*map(chr, range(32)), "\x7f", *map(chr, range(0x80, 0xA0)), "\u202e", "\u2066", "\u200b", "\ufeff"]


def obeyed(shown: str) -> list[str]:
    return [letter for letter in OBEYED if letter != "\n" and letter in shown]


@given(st.text())
def test_what_is_shown_has_nothing_to_obey_and_its_length(words: str) -> None:
    assert plain(words).isprintable()
    assert len(plain(words)) == len(words)
    assert plain_lines(words).count("\n") == words.count("\n")


def test_letters_of_all_languages_stay() -> None:
    words = "Zoë 艾 עברית 🐈 [bold]"
    assert plain(words) is words


@given(st.dictionaries(st.text(), st.text()))
def test_json_has_nothing_to_obey_and_says_the_same(document: dict[str, str]) -> None:
    written = io.StringIO()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdout", written)
        print_json(document)
    assert obeyed(written.getvalue()) == []
    assert orjson.loads(written.getvalue()) == document


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_json_says_the_same_where_letters_are_few(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding))
    document = {"name": "Zoë 艾 🐈"}
    print_json(document)
    assert orjson.loads(written.getvalue()) == document


def shown(what: object) -> str:
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_tables_of_runs_and_agents_obey_no_name() -> None:
    unknown = dict.fromkeys(field.name for field in fields(RunRow))
    known = {"run_id": UUID(int=1), "agent_id": HOSTILE, "status": "completed"}
    run = RunRow(**unknown | known)  # type: ignore[arg-type]  # what a table does not know
    agent = AgentRow(**dict.fromkeys(field.name for field in fields(AgentRow)) | {"agent_id": HOSTILE})  # type: ignore[arg-type]  # the same
    for table in (runs_table([run]), agents_table([agent])):
        assert obeyed(shown(table)) == []
        assert "evil[red]" in shown(table)


def test_differences_obey_no_name() -> None:
    console = Console(file=io.StringIO(), width=200)
    one = Difference("agents", "default", HOSTILE, "streak", HOSTILE, HOSTILE)
    counts = dict.fromkeys((field.name for field in fields(Report)), 0)
    print_report(console, Report(**counts | {"differences": [one]}))  # type: ignore[arg-type]  # counts and a list
    assert isinstance(console.file, io.StringIO)
    assert obeyed(console.file.getvalue()) == []
