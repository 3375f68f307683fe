"""Notices to open pages."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import psycopg

from runledger.analytics.dashboard.live import Live, Mark, Notice
from runledger.analytics.database import Database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Tables(Database):
    """Answers what it is told to, one after the other; the last again and again."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)

    async def select(self, *_asked: Any) -> list[Any]:  # noqa: ANN401  # a row of whatever is asked
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [Mark(answer, NOW, NOW)]


async def heard(tables: Tables, count: int) -> list[Notice]:
    live = Live(tables, look_seconds=0.02, notice_seconds=0.02)
    found: list[Notice] = []
    async with asyncio.timeout(5), aclosing(live.notices()) as notices:
        async for notice in notices:
            if notice is not None:
                found.append(notice)
            if len(found) == count:
                break
    await live.close()
    return found


async def test_each_change_is_told_and_the_same_is_not_told_twice() -> None:
    notices = await heard(Tables(1, 1, 1, 2, 3), 3)
    assert [notice.version for notice in notices] == [1, 2, 3]


async def test_looking_goes_on_whatever_goes_wrong() -> None:
    for error in (psycopg.InterfaceError("closed"), psycopg.errors.InternalError_("broken"), KeyError("a defect")):
        notices = await heard(Tables(1, error, error, 2), 3)
        assert [(notice.version, notice.state) for notice in notices] == [(1, "current"), (1, "away"), (2, "current")]


async def test_who_does_not_listen_for_a_while_is_told_the_latest_alone() -> None:
    """Nothing is kept for a listener: one that takes no notice costs no memory."""
    live = Live(Tables(*range(1, 50)), look_seconds=0.001, notice_seconds=0.001)
    async with asyncio.timeout(5), aclosing(live.notices()) as idle, aclosing(live.notices()) as eager:
        assert await anext(idle) == Notice(1, "current", NOW)
        async for notice in eager:
            if notice is not None and notice.version == 49:
                break
        assert await anext(idle) == Notice(49, "current", NOW)
    await live.close()
