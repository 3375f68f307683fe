"""Other systems' counts of completed tasks, which packages register and the intelligence figures add up.

A package names a callable under the entry point group `runledger.completed_counts`: given the moment since when
(aware), it returns how many tasks were completed. It may be a coroutine function.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from inspect import isawaitable
from typing import TypeAlias

import structlog

from runledger.access.waiting import answer_within
from runledger.analytics.errors import CounterError

ENTRY_POINTS = "runledger.completed_counts"
AGENT_RUNS = "agent_runs"
"""Our own count in the breakdown."""
COUNT_SECONDS = 1.5
"""A count that takes longer is left out of the answer."""

Counter: TypeAlias = Callable[[datetime], int | Awaitable[int]]
_log = structlog.get_logger()


class CompletedCounts:
    """Asks every registered count at once. One that fails, hangs or says nonsense is None, never 0.

    Args:
        counters: {name in the breakdown: the count, or None where it could not be loaded}.
        seconds: how long to wait for them.

    Raises:
        CounterError: one is called agent_runs, as our own is.
    """

    def __init__(self, counters: Mapping[str, Counter | None], seconds: float = COUNT_SECONDS) -> None:
        if AGENT_RUNS in counters:
            raise CounterError(f"a count of the group {ENTRY_POINTS} is called {AGENT_RUNS}, as our own is: rename it")
        self._counters = dict(counters)
        self._seconds = seconds
        self._running: dict[str, int] = dict.fromkeys(counters, 0)
        self._hanging: set[str] = set()

    @classmethod
    def installed(cls) -> CompletedCounts:
        """Load the counts that installed packages register.

        Raises:
            CounterError: two of them have one name, or one is called agent_runs.
        """
        return cls(_load(entry_points(group=ENTRY_POINTS)))

    async def since(self, moment: datetime) -> dict[str, int | None]:
        """Ask how many tasks were completed since a moment, by name; None where it cannot be said."""
        names = sorted(self._counters)
        counted = await asyncio.gather(*(self._count(name, moment) for name in names))
        return dict(zip(names, counted, strict=True))

    async def _count(self, name: str, moment: datetime) -> int | None:
        counter = self._counters[name]
        # One that hangs is not asked again until it comes back: its thread cannot be ended.
        if counter is None or name in self._hanging:
            return None
        try:
            told = await answer_within(self._seconds, self._ask(name, counter, moment))
        except Exception as error:  # noqa: BLE001  # whatever a stranger's code raises, the other figures are shown
            if isinstance(error, TimeoutError) and self._running[name]:
                self._hanging.add(name)
            _log.warning("completed_count_failed", counter=name, error=type(error).__name__)
            return None
        if isinstance(told, bool) or not isinstance(told, int) or told < 0:
            _log.warning("completed_count_failed", counter=name, error="not a number of tasks")
            return None
        return told

    async def _ask(self, name: str, counter: Counter, moment: datetime) -> object:
        told = await self._in_thread(name, counter, moment)
        return await told if isawaitable(told) else told

    async def _in_thread(self, name: str, counter: Counter, moment: datetime) -> object:
        """Call it in a thread of its own, which never keeps the process from ending."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[object] = loop.create_future()

        def end(told: object, error: BaseException | None) -> None:
            self._running[name] -= 1
            if not self._running[name]:
                self._hanging.discard(name)
            if answer.done():  # nobody waits any more
                return
            if error is None:
                answer.set_result(told)
            else:
                answer.set_exception(error)

        def call() -> None:
            told: object = None
            failure: BaseException | None = None
            try:
                told = counter(moment)
            except Exception as error:  # noqa: BLE001  # it is raised again where it is awaited
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(end, told, failure)

        self._running[name] += 1
        threading.Thread(target=call, name=f"count-{name}", daemon=True).start()
        return await answer


def _load(registered: Iterable[EntryPoint]) -> dict[str, Counter | None]:
    counters: dict[str, Counter | None] = {}
    for entry in registered:
        if entry.name in counters:
            raise CounterError(f"two counts of the group {ENTRY_POINTS} are called {entry.name}: rename one")
        try:
            counters[entry.name] = entry.load()
        except Exception as error:  # noqa: BLE001  # whatever a stranger's module raises, the other figures are shown
            _log.warning("completed_count_not_loaded", counter=entry.name, error=type(error).__name__)
            counters[entry.name] = None
    return counters
