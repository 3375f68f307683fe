"""Functions that are runs."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


def track_function(
    function: Callable[P, ResultT],
    run: Callable[[], AbstractContextManager[object]],
    async_run: Callable[[], AbstractAsyncContextManager[object]] | None = None,
) -> Callable[P, ResultT]:
    """Wrap a function so that each call of it is a run; what it returns is returned, what it raises goes on.

    Args:
        function: plain or async.
        run: opens a run around a call.
        async_run: the same for an async function; `run` if left out.

    Raises:
        TypeError: the function is a generator: its run would end before its first step.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__} is a generator; open a run inside it, with `with client.run(...)`")
    if not inspect.iscoroutinefunction(function):

        @wraps(function)
        def tracked(*args: P.args, **kwargs: P.kwargs) -> ResultT:
            with run():
                return function(*args, **kwargs)

        return tracked

    awaitable = cast("Callable[P, Awaitable[Any]]", function)

    @wraps(function)
    async def tracked_async(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401  # what the function returns
        if async_run is None:
            with run():
                return await awaitable(*args, **kwargs)
        async with async_run():
            return await awaitable(*args, **kwargs)

    return cast("Callable[P, ResultT]", tracked_async)
