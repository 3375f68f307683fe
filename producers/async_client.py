"""The client by which asyncio programs tell about their runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from os import PathLike
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from runledger.producers import calls
from runledger.producers.async_run import AsyncRun
from runledger.producers.calls import Call
from runledger.producers.client import RunClient
from runledger.producers.deliveries import OnDelivered
from runledger.producers.open_run import OpenRun, current, enclosing
from runledger.producers.settings import ProducerSettings
from runledger.producers.stats import Stats
from runledger.producers.tellings import Tellable
from runledger.producers.tracking import track_function
from runledger.producers.weighing import are_heavy

P = ParamSpec("P")
AnswerT = TypeVar("AnswerT")
ResultT = TypeVar("ResultT")


def _telling(
    describe: Callable[Concatenate[ProducerSettings, P], Call[AnswerT]],
) -> Callable[Concatenate[AsyncRunClient, P], Coroutine[Any, Any, AnswerT]]:
    """Make a coroutine method of the description of a call."""

    @wraps(describe)
    async def tell(self: AsyncRunClient, /, *args: P.args, **kwargs: P.kwargs) -> AnswerT:
        return await self.tell(describe(self.settings, *args, **kwargs))

    return tell


def _starting(
    describe: Callable[Concatenate[ProducerSettings, P], Call[OpenRun]],
) -> Callable[Concatenate[AsyncRunClient, P], Coroutine[Any, Any, AsyncRun]]:
    """Make a coroutine method that starts a run and gives its handle."""

    @wraps(describe)
    async def start(self: AsyncRunClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncRun:
        return AsyncRun(self, await self.tell(describe(self.settings, *args, **kwargs)))

    return start


def _enclosing(
    describe: Callable[Concatenate[ProducerSettings, P], Call[OpenRun]],
) -> Callable[Concatenate[AsyncRunClient, P], AbstractAsyncContextManager[AsyncRun]]:
    """Make a method that starts a run and ends it with an `async with` block."""

    @wraps(describe)
    def run(self: AsyncRunClient, /, *args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[AsyncRun]:
        return self._block(lambda: describe(self.settings, *args, **kwargs))

    run.__doc__ = RunClient.run.__doc__
    return run


class AsyncRunClient:
    """As `RunClient`, for asyncio: the same names and arguments, awaited. The event loop is never made to wait.

    Use it as `async with AsyncRunClient() as client`, and a run as `async with client.run(...) as run`.

    Args:
        url: as `RunClient` takes it, like everything below.
        api_key: see there.
        spool: see there.
        strict: see there.
        kafka: see there.
        topic_prefix: see there.
        mask: see there.
        settings: see there.

    Raises:
        ConfigurationError: the address, the key or the spool cannot be used.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        spool: str | PathLike[str] | None = None,
        strict: bool | None = None,
        kafka: str | None = None,
        topic_prefix: str | None = None,
        mask: Mapping[str, str] | None = None,
        settings: ProducerSettings | None = None,
    ) -> None:
        self._client = RunClient(
            url,
            api_key=api_key,
            spool=spool,
            strict=strict,
            kafka=kafka,
            topic_prefix=topic_prefix,
            mask=mask,
            settings=settings,
        )

    @property
    def settings(self) -> ProducerSettings:
        """What the client works by."""
        return self._client.settings

    run = _enclosing(calls.start_run)
    start_run = _starting(calls.start_run)
    report_usage = _telling(calls.report_usage)
    end_run = _telling(calls.end_run)
    record_failure = _telling(calls.record_failure)
    heartbeat = _telling(calls.heartbeat)
    record_run = _telling(calls.record_run)
    log_run = _telling(calls.log_run)

    def track(
        self,
        project: str,
        agent: str,
        *,
        summary: str | None = None,
        meta: Mapping[str, Any] | None = None,
        task_id: str | None = None,
    ) -> Callable[[Callable[P, ResultT]], Callable[P, ResultT]]:
        """Make each call of the decorated function, plain or async, a run of its own; see `RunClient.track`."""

        def decorate(function: Callable[P, ResultT]) -> Callable[P, ResultT]:
            return track_function(
                function,
                lambda: self._client.run(project, agent, summary=summary, meta=meta, task_id=task_id),
                lambda: self.run(project, agent, summary=summary, meta=meta, task_id=task_id),
            )

        return decorate

    def current_run(self) -> AsyncRun | None:
        """Give the innermost run around the caller, in this task; None outside of any."""
        around = current()
        return None if around is None else AsyncRun(self, around)

    async def publish(self, event: Tellable, on_delivered: OnDelivered | None = None) -> None:
        """Queue an event made elsewhere, as `Publisher.publish` does."""
        await self.tell(Call(event, None, on_delivered))

    async def tell(self, call: Call[AnswerT]) -> AnswerT:
        """Publish what a call means and give its answer."""
        # A strict client may wait in front of a full queue; a large event takes up to a second to be masked.
        if self.settings.strict or are_heavy([call.event]):
            return await asyncio.to_thread(self._client.tell, call)
        return self._client.tell(call)

    async def flush(self, timeout_seconds: float = 10) -> None:
        """Wait until everything told so far is acknowledged; see `RunClient.flush`.

        Raises:
            DeliveryError: some events failed, or were still pending when the time was up; it names them.
        """
        await asyncio.to_thread(self._client.flush, timeout_seconds)

    def stats(self) -> Stats:
        """Count what became of everything this process told."""
        return self._client.stats()

    async def close(self, timeout_seconds: float | None = None) -> None:
        """Flush and stop; see `RunClient.close`.

        Raises:
            DeliveryError: events were lost; only from a strict client. It is closed all the same.
        """
        await asyncio.to_thread(self._client.close, timeout_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def _block(self, describe: Callable[[], Call[OpenRun]]) -> AsyncIterator[AsyncRun]:
        opened = await self.tell(describe())
        run = AsyncRun(self, opened)
        with enclosing(opened):
            try:
                yield run
            except BaseException as error:
                await run.end_by(error)
                raise
            if not run.ended:
                await run.end()


def plain_client(client: RunClient | AsyncRunClient) -> RunClient:
    """Give the plain client within an asynchronous one, for what is called both inside and outside of event loops."""
    return client._client if isinstance(client, AsyncRunClient) else client
