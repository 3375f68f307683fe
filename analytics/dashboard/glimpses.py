"""Looks at what may be slow or away: one at a time, shared by all viewers, and no page waits long for one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

_SeenT = TypeVar("_SeenT")
_LOG = structlog.get_logger()


class LookError(Exception):
    """Something could not be seen.

    Args:
        why: for whoever looks at the page: no secret, and no address of a server.
        detail: for the log alone.
    """

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Glimpse(Generic[_SeenT]):
    """What is known of something.

    Args:
        seen: the latest that was seen; None where nothing ever was.
        age_seconds: of `seen`; None likewise.
        trouble: why the latest look saw nothing; empty where it did, or none has ended yet.
        is_waiting: the first look has not ended yet.
    """

    seen: _SeenT | None
    age_seconds: float | None
    trouble: str = ""
    is_waiting: bool = False


class Looker(Generic[_SeenT]):
    """Looks when asked, in a thread of its own that keeps no process from ending, and not again while that is fresh.

    Args:
        name: of what is looked at, for the log.
        look: looks; blocking, bounded by itself. It may raise LookError.
        fresh_seconds: a look, or its failure, is given to whoever asks so soon after.
        patience_seconds: who asks waits so long for a look; after that he gets what was seen before.
        clock: seconds, only growing.
    """

    def __init__(
        self,
        name: str,
        look: Callable[[], _SeenT],
        *,
        fresh_seconds: float,
        patience_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._look = look
        self._fresh_seconds = fresh_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._looking: asyncio.Future[None] | None = None
        self._ended_at = float("-inf")
        self._is_outdated = False
        self._seen: tuple[float, _SeenT] | None = None
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why the latest look saw nothing; empty where it did, or none has ended yet."""
        return self._trouble

    def forget(self) -> None:
        """Look anew when next asked, whatever a look under way will see: something has just been changed by us."""
        self._ended_at = float("-inf")
        self._is_outdated = self._looking is not None

    async def get(self) -> Glimpse[_SeenT]:
        """Give what is known, as fresh as it can be had in time."""
        if self._looking is None and self._clock() - self._ended_at >= self._fresh_seconds:
            self._begin()
        if self._looking is not None:
            await asyncio.wait([self._looking], timeout=self._patience_seconds)
        return self.known(self._trouble)

    def known(self, trouble: str) -> Glimpse[_SeenT]:
        """Give what was seen before, without looking.

        Args:
            trouble: why nobody looks.
        """
        if self._seen is None:
            return Glimpse(None, None, trouble, is_waiting=not trouble)
        began_at, seen = self._seen
        return Glimpse(seen, self._clock() - began_at, trouble)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._looking = loop.create_future()
        began_at = self._clock()

        def look() -> None:
            try:
                seen, trouble = self._look(), ""
            except LookError as error:
                seen, trouble = None, str(error)
                if trouble != self._trouble:
                    _LOG.warning("look_failed", at=self._name, error=trouble, detail=error.detail)
            except Exception as error:  # noqa: BLE001  # the page says so, and everything else on it is still told
                _LOG.warning("look_failed", at=self._name, error=type(error).__name__, exc_info=True)
                seen, trouble = None, f"looking failed: {type(error).__name__}"
            try:
                loop.call_soon_threadsafe(self._end, began_at, seen, trouble)
            except RuntimeError:
                return  # the process ends, and nobody waits any more

        threading.Thread(target=look, name=f"look-{self._name}", daemon=True).start()

    def _end(self, began_at: float, seen: _SeenT | None, trouble: str) -> None:
        looking, self._looking = self._looking, None
        self._ended_at = float("-inf") if self._is_outdated else self._clock()
        self._is_outdated, self._trouble = False, trouble
        if seen is not None:
            self._seen = began_at, seen
        if looking is not None and not looking.done():
            looking.set_result(None)
