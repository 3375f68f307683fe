"""`runledger completion`: the lines by which a shell completes our commands and options."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Literal

import typer
from typer._completion_classes import completion_init
from typer._completion_shared import get_completion_script

PROGRAM = "runledger"
VARIABLE = "_RUNLEDGER_COMPLETE"
"""Set by the shell's function when it asks what may stand there; named as typer names it."""


def completion_command(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Which shell.")],
) -> None:
    """Print what a shell needs to complete commands, options and their values with TAB.

    bash and fish read it where they start; zsh finds it as _runledger in a folder of its fpath.

    Examples:
        runledger completion bash >> ~/.bashrc
        runledger completion zsh > "${fpath[1]}/_runledger"
        runledger completion fish > ~/.config/fish/completions/runledger.fish
    """
    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell))


def completed_command(environment: Mapping[str, str]) -> str | None:
    """Prepare to answer a shell that asks for completions, if one does.

    Returns:
        The command to be completed, so that no other need be imported; None while it is being written.

    Args:
        environment: as the shell's function sets it.
    """
    if VARIABLE not in environment:
        return None
    completion_init()
    if "_TYPER_COMPLETE_ARGS" in environment:
        line, own = environment["_TYPER_COMPLETE_ARGS"], None
    else:
        line, own = environment.get("COMP_WORDS", ""), environment.get("COMP_CWORD")
    try:
        words = shlex.split(line)
    except ValueError:  # a quotation that is still open
        words = line.split()
    is_written = own != "1" and (len(words) > 2 or line[-1:].isspace())  # noqa: PLR2004  # program and command
    return words[1] if is_written and len(words) > 1 else None
