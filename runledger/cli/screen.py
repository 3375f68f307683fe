"""Where results and remarks are printed: a terminal, a pipe that may close, or a file."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

from rich.console import Console

EXIT_PIPE_CLOSED = 141
"""As of a program that SIGPIPE ended: whoever read us wanted no more."""
_PIPE_COLUMNS = 10_000
"""What reads a pipe wants a line a row: nothing is cut or wrapped for a width that nobody has."""


class Screen(Console):
    """Prints as rich does; colours and widths by what is behind it.

    A terminal gets its own width, and colours unless NO_COLOR or TERM=dumb say otherwise. Everything else gets plain
    lines, whole, unless COLUMNS gives a width.

    Args:
        stderr: print there; else on stdout.
        file: print there instead.
        width: in columns, instead of the one found.
    """

    def __init__(self, *, stderr: bool = False, file: TextIO | None = None, width: int | None = None) -> None:
        super().__init__(stderr=stderr, file=file, width=width, highlight=False)
        if width is None and not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = _PIPE_COLUMNS

    @property
    def is_live(self) -> bool:
        """Whether lines can be drawn again in place."""
        return self.is_terminal and not self.is_dumb_terminal

    def on_broken_pipe(self) -> None:
        """Leave without a word: nobody reads on."""
        silence_stdout()
        raise SystemExit(EXIT_PIPE_CLOSED)


def take_any_letter() -> None:
    """Have a ? printed on stdout for what its encoding does not have, instead of failing; stderr never fails."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def silence_stdout() -> None:
    """Let nothing be said about a pipe that closed when what is left in buffers is flushed at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
