"""Pages that were drawn a moment ago, for whoever asks for the same: ten open pages cost about as much as one."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any

FRESH_SECONDS = 1.0
REST = 3.0
"""A page that took long is drawn again only after so many times as long: it may use a quarter of one core, no more."""
_MOST = 256
_MOST_BYTES = 64 * 1024 * 1024
"""Of all pages remembered: a long run's page may have megabytes."""
_LEVEL = 3
"""A fifth of the bytes, for a millisecond once for all who look."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page as it was drawn.

    Args:
        body: what the browser gets.
        compressed: the same in gzip.
        version: of the tables (`Live.version`) when its reading began: it shows that much at least.
    """

    body: bytes
    compressed: bytes
    version: int

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.body) + len(self.compressed)


@dataclass(frozen=True, slots=True)
class _Known:
    drawn: Drawn
    fresh_until: float
    """Good enough until then, unless something changed."""
    resting_until: float
    """Good enough until then, whatever changed."""


class DrawnPages:
    """Draws each page once at a time. What failed is not remembered.

    Args:
        most: at most so many are remembered.
        clock: seconds, only growing.
        most_bytes: and at most so large, all together.
    """

    def __init__(
        self, most: int = _MOST, clock: Callable[[], float] = time.monotonic, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._clock = clock
        self._drawing: dict[Hashable, asyncio.Task[Drawn]] = {}
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()

    async def get(self, key: Hashable, version: int, draw: Callable[[], Coroutine[Any, Any, bytes]]) -> Drawn:
        """Give a page that is fresh, or draw it.

        Who is cancelled while waiting cancels nothing for the others.

        Args:
            key: which page, and for whom.
            version: of the tables now; whoever is given an older one asks again in a moment.
            draw: reads and draws it.
        """
        known, now = self._known.get(key), self._clock()
        if known is not None and (
            now < known.resting_until or (now < known.fresh_until and known.drawn.version == version)
        ):
            return known.drawn
        task = self._drawing.get(key)
        if task is None:
            task = self._drawing[key] = asyncio.create_task(self._draw(key, version, draw))
            task.add_done_callback(_look_at)
        return await asyncio.shield(task)

    async def _draw(self, key: Hashable, version: int, draw: Callable[[], Coroutine[Any, Any, bytes]]) -> Drawn:
        began = self._clock()
        try:
            body = await draw()
            drawn = Drawn(body, gzip.compress(body, _LEVEL), version)
        finally:
            del self._drawing[key]
        now = self._clock()
        self._remember(key, _Known(drawn, began + FRESH_SECONDS, now + REST * (now - began)))
        return drawn

    def _remember(self, key: Hashable, known: _Known) -> None:
        if (before := self._known.pop(key, None)) is not None:
            self._bytes -= before.drawn.size
        self._known[key] = known
        self._bytes += known.drawn.size
        while len(self._known) > self._most or self._bytes > self._most_bytes:
            self._bytes -= self._known.popitem(last=False)[1].drawn.size


def _look_at(done: asyncio.Task[Drawn]) -> None:
    """Look at the error, or asyncio complains where everybody who waited for it has gone."""
    if not done.cancelled():
        done.exception()
