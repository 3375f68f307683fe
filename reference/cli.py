"""The commands, as their own `--help` has them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer
from rich.text import Text
from typer.core import TyperArgument, TyperGroup, TyperOption

from reference.markdown import code, fenced, page, prose, section, table
from runledger.cli.app import COMMANDS, application

_INTRO = """
Every command of `runledger`, as `--help` shows it. Commands find the servers by [settings](settings.md), else the
local stack ([The terminal](../terminal.md)) in the folder that `--data-dir` or `RUNLEDGER_DATA_DIR` names. `--help`
itself is an option of each. A command names the exit codes that are its own; what the others mean of every command,
[The terminal](../terminal.md#for-scripts) says, and of workers, [Operations](../operations.md#processes).
"""
_WORDS: dict[object, str] = {
    int: "N",
    float: "NUMBER",
    str: "TEXT",
}


def cli_page() -> str:
    """Write the page."""
    root = typer.main.get_command(application())
    if not isinstance(root, TyperGroup):
        raise TypeError("the application is no group of commands")
    parts = []
    for panel, commands in _panels(root).items():
        told = (_command(path, command) for name, top in commands for path, command in walk(top, name))
        parts.append(section(2, panel, *told))
    return page("Commands", _INTRO, *parts)


def walk(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # typer's own classes are private
    """Find a command and all below it, hidden ones left out: (its words behind `runledger`, it)."""
    if getattr(command, "hidden", False):
        return
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, f"{path} {name}".strip())


def options_of(command: Any) -> list[TyperOption]:  # noqa: ANN401  # as above
    """List a command's options, hidden ones left out."""
    return [it for it in command.params if isinstance(it, TyperOption) and not it.hidden]


def _panels(root: TyperGroup) -> dict[str, list[tuple[str, Any]]]:
    panels: dict[str, list[tuple[str, Any]]] = {}
    for name, command in root.commands.items():
        if not command.hidden:
            panels.setdefault(COMMANDS[name].panel, []).append((name, command))
    return panels


def _command(path: str, command: Any) -> str:  # noqa: ANN401  # as above
    arguments = [it for it in command.params if isinstance(it, TyperArgument) and not it.hidden]
    usage = " ".join(["runledger", path, *_usage(command, arguments)])
    below = getattr(command, "commands", {})
    list_of = ", ".join(f"[`{path} {name}`](#runledger-{path.replace(' ', '-')}-{name})" for name in below)
    parameters: list[TyperArgument | TyperOption] = [*arguments, *options_of(command)]
    rows = [[_spelled(it), _about(it), prose(_sentence(it.help or ""))] for it in parameters]
    examples = Text.from_markup(command.epilog or "").plain.partition("\n")[2]
    return section(
        3,
        code(f"runledger {path}"),
        prose(command.help or ""),
        fenced(usage) if not below else f"Commands: {list_of}",
        table(("option", "default", "meaning"), rows),
        f"Examples:\n\n{fenced(examples)}" if examples else "",
    )


def _usage(command: Any, arguments: list[TyperArgument]) -> list[str]:  # noqa: ANN401  # as above
    words = [_name(it) + ("..." if it.nargs < 0 else "") for it in arguments]
    shown = [word if it.required else f"[{word}]" for word, it in zip(words, arguments, strict=True)]
    return (["[OPTIONS]"] if options_of(command) else []) + shown


def _spelled(parameter: TyperArgument | TyperOption) -> str:
    if isinstance(parameter, TyperArgument):
        return code(_name(parameter))
    names = [*parameter.opts, *parameter.secondary_opts]
    value = "" if parameter.is_flag else f" {parameter.metavar or _form(parameter)}"
    return ", ".join(code(name + value) for name in names)


def _name(argument: TyperArgument) -> str:
    return str(argument.metavar or argument.name).upper()


def _form(parameter: TyperArgument | TyperOption) -> str:
    """What stands behind an option, in one word."""
    annotation: Any = parameter.type_descriptor.annotation
    while get_origin(annotation) in {Union, UnionType, list}:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "|".join(str(one.value) for one in annotation)
    return _WORDS.get(annotation, getattr(annotation, "__name__", "TEXT").upper())


def _about(parameter: TyperArgument | TyperOption) -> str:
    """What holds where it is left out, within which bounds it may be, and by which variable it is set, too."""
    told = ["required"] if parameter.required else []
    default = parameter.default
    if isinstance(parameter, TyperOption) and parameter.is_flag:
        names = [*parameter.opts, *parameter.secondary_opts]
        told += [code(names[0] if default else names[-1])] if len(names) > 1 and default is not None else []
    elif default not in (None, [], ()):
        told.append(code(default.value if isinstance(default, enum.Enum) else default))
    told += [word for word in (_bounds(parameter), "may be given again" if _repeats(parameter) else "") if word]
    if parameter.envvar:
        told.append(code(parameter.envvar))
    return ", ".join(told)


def _repeats(parameter: TyperArgument | TyperOption) -> bool:
    return isinstance(parameter, TyperOption) and parameter.multiple and "given again" not in (parameter.help or "")


def _bounds(parameter: TyperArgument | TyperOption) -> str:
    lowest, highest = parameter.min, parameter.max
    if lowest is not None and highest is not None:
        return f"{lowest:g} to {highest:g}"
    return f"from {lowest:g}" if lowest is not None else f"to {highest:g}" if highest is not None else ""


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."
