"""One question for everybody who asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from runledger.analytics.sharing import Shared


class _Tables:
    """Something slow to ask, that counts how often it is."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self.error: Exception | None = None

    def about(self, key: str) -> Callable[[], Coroutine[Any, Any, str]]:
        async def ask() -> str:
            self.asked.append(key)
            number = len(self.asked)
            await self.go.wait()
            if self.error is not None:
                raise self.error
            return f"{key}-{number}"

        return ask


async def test_who_asks_meanwhile_is_given_the_same_answer() -> None:
    tables, shared = _Tables(), Shared[str, str](0)
    waiting = [asyncio.create_task(shared.get(key, tables.about(key))) for key in ("a", "a", "b", "a")]
    await asyncio.sleep(0)
    tables.go.set()
    assert await asyncio.gather(*waiting) == ["a-1", "a-1", "b-2", "a-1"]
    assert tables.asked == ["a", "b"]


async def test_an_answer_is_given_again_while_it_is_fresh() -> None:
    now = [0.0]
    tables, shared = _Tables(), Shared[str, str](5, clock=lambda: now[0])
    tables.go.set()
    assert await shared.get("a", tables.about("a")) == "a-1"
    now[0] = 4.9
    assert await shared.get("a", tables.about("a")) == "a-1"
    now[0] = 5.0
    assert await shared.get("a", tables.about("a")) == "a-2"


async def test_what_failed_is_asked_again() -> None:
    tables, shared = _Tables(), Shared[str, str](5)
    tables.go.set()
    tables.error = ConnectionError("away")
    with pytest.raises(ConnectionError):
        await shared.get("a", tables.about("a"))
    tables.error = None
    assert await shared.get("a", tables.about("a")) == "a-2"


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    tables, shared = _Tables(), Shared[str, str](0)
    impatient = asyncio.create_task(shared.get("a", tables.about("a")))
    patient = asyncio.create_task(shared.get("a", tables.about("a")))
    await asyncio.sleep(0)
    impatient.cancel()
    tables.go.set()
    assert await patient == "a-1"
    assert impatient.cancelled()


async def test_only_so_many_answers_are_remembered() -> None:
    tables, shared = _Tables(), Shared[str, str](60, most=2)
    tables.go.set()
    for key in ("a", "b", "c"):
        await shared.get(key, tables.about(key))
    await shared.get("c", tables.about("c"))
    assert tables.asked == ["a", "b", "c"]
    await shared.get("a", tables.about("a"))
    assert tables.asked == ["a", "b", "c", "a"]


async def test_what_took_long_is_fresh_for_longer() -> None:
    now = [0.0]
    tables, shared = _Tables(), Shared[str, str](1, clock=lambda: now[0], rest=10)
    asking = asyncio.create_task(shared.get("a", tables.about("a")))
    await asyncio.sleep(0)
    now[0] = 2.0
    tables.go.set()
    assert await asking == "a-1"
    now[0] = 21.9
    assert await shared.get("a", tables.about("a")) == "a-1"
    now[0] = 22.0
    assert await shared.get("a", tables.about("a")) == "a-2"
    now[0] = 22.9
    assert await shared.get("a", tables.about("a")) == "a-2"
    now[0] = 23.0
    assert await shared.get("a", tables.about("a")) == "a-3"
