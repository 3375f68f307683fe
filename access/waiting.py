"""Wait for an answer no longer than a bound, however long the asked one takes to be interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_AnswerT = TypeVar("_AnswerT")
_LEFT_BEHIND: set[asyncio.Task[Any]] = set()
"""Cancelled and not yet ended: asyncio itself holds tasks only weakly."""


async def answer_within(seconds: float, asking: Coroutine[Any, Any, _AnswerT]) -> _AnswerT:
    """Await a coroutine, at most so long. What does not answer in time is cancelled and left to end by itself.

    `asyncio.timeout` would wait for that end, and psycopg, cancelled, tries for ten seconds to tell a server that may
    be hanging.

    Raises:
        TimeoutError: no answer in time.
    """
    task = asyncio.create_task(asking)
    try:
        await asyncio.wait([task], timeout=seconds)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        if not task.done():
            _LEFT_BEHIND.add(task)
            task.add_done_callback(_forget)
            task.cancel()


def _forget(task: asyncio.Task[Any]) -> None:
    _LEFT_BEHIND.discard(task)
    if not task.cancelled():
        task.exception()  # looked at, so that asyncio does not complain: nobody waits for it any more
