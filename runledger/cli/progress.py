"""Progress on stderr: bars on a terminal, plain lines elsewhere; stdout stays for results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from runledger.cli.screen import Screen


class Steps:
    """Tells, step by step, what is going on and how long it took."""

    def __init__(self) -> None:
        self._console = Screen(stderr=True)

    def say(self, message: str) -> None:
        """Print one line."""
        self._console.print(message)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show that something of unknown length goes on."""
        began = time.monotonic()
        if self._console.is_live:
            with self._console.status(f"{what} …"):
                yield
        else:
            yield
        self._done(what, began)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show on a terminal that something goes on, and leave nothing of it."""
        if self._console.is_live:
            with self._console.status(f"{what} …"):
                yield
        else:
            yield

    @contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Show a count; the block gets a function to call with (done, in all)."""
        began, last = time.monotonic(), [0, 0]
        with self.showing(what) as show:

            def progress(done: int, of: int) -> None:
                last[:] = done, of
                show(done, of)

            yield progress
        self._done(f"{what}: {last[0]:,} of {last[1]:,}", began)

    @contextmanager
    def showing(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Show a bar on a terminal, and leave nothing of it; the block gets a function to call with (done, in all)."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True, disable=not self._console.is_live) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)

    def _done(self, what: str, began: float) -> None:
        self._console.print(f"[green]✓[/green] {what} ({time.monotonic() - began:.1f} s)")
