"""The run that is being told about, and the one that encloses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from uuid import UUID

from runledger.producers.errors import RunEndedError

ENCLOSING: Final = "enclosing"
Parent: TypeAlias = UUID | str | Literal["enclosing"] | None
"""A run's id; None for no parent; "enclosing" for the run whose block or tracked function this is, if there is one."""


@dataclass(slots=True)
class OpenRun:
    """A started run; `task_id` if it was started with one, `ended` once its end was told by a handle of it."""

    project: str
    agent: str
    run_id: UUID
    ended: bool = False
    task_id: str | None = None

    def refuse_if_ended(self) -> None:
        """Let nothing more be told of an ended run.

        Raises:
            RunEndedError: it was ended.
        """
        if self.ended:
            raise RunEndedError(f"run {self.run_id} was ended before")


class RunHandle:
    """What every handle of a run tells about it."""

    def __init__(self, run: OpenRun) -> None:
        self._run = run

    @property
    def project(self) -> str:
        """Whose run it is."""
        return self._run.project

    @property
    def agent(self) -> str:
        """Who works."""
        return self._run.agent

    @property
    def run_id(self) -> UUID:
        """Its id."""
        return self._run.run_id

    @property
    def ended(self) -> bool:
        """Whether its end was told by a handle of this process."""
        return self._run.ended


_CURRENT: ContextVar[OpenRun | None] = ContextVar("runledger_current_run", default=None)


def current() -> OpenRun | None:
    """The innermost run around the caller, in this thread or task."""
    return _CURRENT.get()


@contextmanager
def enclosing(run: OpenRun) -> Iterator[None]:
    """Make a run the current one for the length of a block."""
    before = _CURRENT.get()
    _CURRENT.set(run)
    try:
        yield
    finally:
        # Not by token: an async fixture or generator may be left in another context than it was entered in.
        _CURRENT.set(before)


def parent_of(project: str, parent: Parent) -> UUID | str | None:
    """Choose the parent's id; a run of another project is nobody's parent here."""
    if parent != ENCLOSING:
        return parent
    around = current()
    return around.run_id if around is not None and around.project == project else None
