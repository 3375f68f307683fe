"""Help that teaches by example: what stands under `Examples:` in a command's docstring comes last, line by line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import typer
from rich.markup import escape

_SECTION = re.compile(r"\n\nExamples?:\s+")
_LINE = re.compile(r"(?P<command>runledger.*?)(?:\s\s+#\s(?P<what>.*))?")


def teach(app: typer.Typer) -> None:
    """Move the examples of every command of an application from its docstring to the end of its help."""
    for info in app.registered_commands:
        if info.callback is not None and info.help is None:
            info.help, info.epilog = split(info.callback.__doc__ or "")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            teach(group.typer_instance)


def split(docstring: str) -> tuple[str, str | None]:
    """Take a docstring apart: (what the command does, its examples as rich's markup)."""
    does, *rest = _SECTION.split(inspect.cleandoc(docstring), maxsplit=1)
    return does, shown(rest[0]) if rest else None


def shown(written: str) -> str:
    """Show examples: each command as it can be copied, what it is for beside it, in one column."""
    lines = list(_lines(written))
    width = max((len(command) for command, _ in lines), default=0)
    return "\n".join(
        ["[bold]Examples[/bold]"]
        + [
            escape(command) + (f"{' ' * (width - len(command))}  [dim]# {escape(what)}[/dim]" if what else "")
            for command, what in lines
        ]
    )


def _lines(written: str) -> Iterator[tuple[str, str | None]]:
    for line in written.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found is not None:
            yield found["command"], found["what"]
