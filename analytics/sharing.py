"""Ask once for everybody who asks the same at the same time, and for some seconds after."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

_KeyT = TypeVar("_KeyT", bound=Hashable)
_AnswerT = TypeVar("_AnswerT")


class Shared(Generic[_KeyT, _AnswerT]):
    """Answers by question: the one being fetched, and those that are fresh. What failed is not remembered.

    Args:
        seconds: how long an answer is fresh.
        most: at most so many are remembered.
        clock: seconds, only growing.
        rest: an answer is fresh for so many times as long as it took, where that is more: what is dear is asked seldom.
    """

    def __init__(
        self, seconds: float, most: int = 64, clock: Callable[[], float] = time.monotonic, *, rest: float = 0.0
    ) -> None:
        self._seconds = seconds
        self._rest = rest
        self._most = most
        self._clock = clock
        self._asked: dict[_KeyT, asyncio.Task[_AnswerT]] = {}
        self._known: OrderedDict[_KeyT, tuple[float, _AnswerT]] = OrderedDict()

    async def get(self, key: _KeyT, ask: Callable[[], Coroutine[Any, Any, _AnswerT]]) -> _AnswerT:
        """Give the fresh answer to a question, or ask it.

        Who is cancelled while waiting cancels nothing for the others.
        """
        known = self._known.get(key)
        if known is not None and self._clock() < known[0]:
            return known[1]
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(ask())
            asked_at = self._clock()
            task.add_done_callback(lambda done: self._end(key, done, asked_at))
        return await asyncio.shield(task)

    def _end(self, key: _KeyT, done: asyncio.Task[_AnswerT], asked_at: float) -> None:
        del self._asked[key]
        # Looking at the error keeps asyncio from complaining where everybody who waited for it has gone.
        if done.cancelled() or done.exception() is not None:
            return
        now = self._clock()
        self._known[key] = (now + max(self._seconds, self._rest * (now - asked_at)), done.result())
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
