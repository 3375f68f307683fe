"""Every command teaches by example, and every example can be typed as it stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.text import Text

from runledger.cli.app import application
from runledger.cli.helping import shown, split

_REDIRECTIONS = {">", ">>", "|"}


def commands(group: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # typer's own click
    """Yield (full name, command) of every command below a group."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*names, name))
        else:
            yield " ".join((*names, name)), command


def examples(command: Any) -> list[str]:  # noqa: ANN401  # the same
    """Return the lines of a command's examples as a terminal shows them."""
    return Text.from_markup(command.epilog or "").plain.splitlines()[1:]


ROOT = typer.main.get_command(application())
EVERY = dict(commands(ROOT))


@pytest.mark.parametrize("name", [*EVERY, "runledger"])
def test_every_command_ends_its_help_with_examples_of_itself(name: str) -> None:
    lines = examples(EVERY.get(name, ROOT))
    assert lines, f"{name} has no example"
    for line in lines:
        assert line.startswith(f"runledger {name}" if name in EVERY else "runledger "), line
        assert len(line) <= 78, f"it would be broken: {line}"


@pytest.mark.parametrize("name", [*EVERY, "runledger"])
def test_every_example_is_understood(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.jsonl").touch()
    for line in examples(EVERY.get(name, ROOT)):
        words = shlex.split(re.split(r"\s\s+#\s", line)[0])
        end = next((place for place, word in enumerate(words) if word in _REDIRECTIONS), len(words))
        _parse(words[1:end])


def _parse(words: list[str]) -> None:
    """Parse a command line as it would be, down to the values of its options; run nothing."""
    group: Any = ROOT
    context = group.make_context("runledger", list(words))
    left = words
    while hasattr(group, "commands"):
        name, group, left = group.resolve_command(context, left)
        context = group.make_context(name, list(left), parent=context)


def test_a_wrong_example_would_be_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        _parse(["tail", "--no-such-option"])


def test_a_docstring_is_what_it_does_and_then_its_examples() -> None:
    does, epilog = split(
        "Do it.\n\n    More.\n\n    Examples:\n        runledger a b    # why [not]\n        runledger c\n"
    )
    assert does == "Do it.\n\nMore."
    assert Text.from_markup(epilog or "").plain == "Examples\nrunledger a b  # why [not]\nrunledger c"
    assert split("Do it.") == ("Do it.", None)
    assert split("Do it.\n\nExample: runledger a")[0] == "Do it."
    assert "runledger a" in shown("runledger a")
