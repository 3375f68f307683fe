"""Ask the tables one thing and let go of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from runledger.analytics.database import Database
from runledger.cli.connecting import find_tables

_AnswerT = TypeVar("_AnswerT")


def ask(data_dir: Path | None, question: Callable[[Database], Awaitable[_AnswerT]]) -> _AnswerT:
    """Open the tables, ask, close them.

    Args:
        data_dir: of the local stack; the environment's servers come first.
        question: asks with what it is given, and returns the answer.

    Raises:
        StackError: neither the environment names a database, nor does a local stack run.
        ReadUnavailableError: it does not answer in time.
    """
    return asyncio.run(_ask(find_tables(data_dir), question))


async def _ask(uri: str, question: Callable[[Database], Awaitable[_AnswerT]]) -> _AnswerT:
    async with Database(uri) as database:
        return await question(database)
