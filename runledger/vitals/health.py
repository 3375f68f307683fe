"""How a process does: what is wrong just now, and since when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from runledger.vitals.dependencies import Dependency
from runledger.vitals.watchdog import Standstill
from runledger.vitals.watched import Watched

NO_PROGRESS = "no_progress"
ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong.

    Args:
        problem: a constant name, for programs.
        detail: for people; holds no secret.
        since: when it was first seen.
    """

    problem: str
    detail: str
    since: datetime


def _now() -> datetime:
    return datetime.now(UTC)


class Health:
    """Asks everybody who may know of something wrong, and remembers since when.

    Args:
        dependencies: servers the process needs.
        clock: the time.
    """

    def __init__(self, dependencies: Sequence[Dependency], clock: Callable[[], datetime] = _now) -> None:
        self._dependencies = dependencies
        self._clock = clock
        self._watched: tuple[Watched, ...] = ()
        self._standing: tuple[Standstill, ...] = ()
        self._since: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self.is_ending = False

    @property
    def watched(self) -> Sequence[Watched]:
        """Everything in the process that can be asked."""
        return self._watched

    def watch(self, watched: Watched) -> None:
        """Ask this, too."""
        self._watched = (*self._watched, watched)

    def stands(self, standing: Iterable[Standstill]) -> None:
        """Take note of the watchdog's last look."""
        self._standing = tuple(standing)

    def absences(self) -> dict[str, str]:
        """{what is wrong: in words} of the servers that do not answer, each asked now."""
        asked = ((dependency.problem, dependency.absence()) for dependency in self._dependencies)
        return {problem: absence for problem, absence in asked if absence is not None}

    def troubles(self) -> dict[str, str]:
        """{what is wrong: in words}, as the process itself has met it."""
        return {what: words for watched in self._watched for what, words in watched.troubles().items()}

    def problems(self) -> list[Problem]:
        """All that is wrong, the longest standing first."""
        found = {**self.troubles(), **self.absences()}
        slow = [it for it in self._standing if it.is_slow]
        if slow:
            found[NO_PROGRESS] = ", ".join(f"{it.name} for {it.seconds:.0f} s" for it in slow)
        if self.is_ending:
            found[ENDING] = "the process was told to end"
        now = self._clock()
        with self._lock:
            self._since = {what: self._since.get(what, now) for what in found}
            return sorted((Problem(what, found[what], self._since[what]) for what in found), key=lambda it: it.since)
