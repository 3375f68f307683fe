"""One run that an asyncio program is telling about."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from runledger.producers import run_calls
from runledger.producers.calls import Call
from runledger.producers.errors import ProducerError
from runledger.producers.open_run import OpenRun, RunHandle
from runledger.producers.settings import ProducerSettings

if TYPE_CHECKING:
    from runledger.producers.async_client import AsyncRunClient

P = ParamSpec("P")
AnswerT = TypeVar("AnswerT")


def _telling(
    describe: Callable[Concatenate[ProducerSettings, OpenRun, P], Call[AnswerT]],
) -> Callable[Concatenate[AsyncRun, P], Coroutine[Any, Any, AnswerT]]:
    """Make a coroutine method of the description of a call."""

    @wraps(describe)
    async def tell(self: AsyncRun, /, *args: P.args, **kwargs: P.kwargs) -> AnswerT:
        self._run.refuse_if_ended()
        return await self._tell(describe(self._client.settings, self._run, *args, **kwargs))

    return tell


class AsyncRun(RunHandle):
    """Tell what happens in one started run. Made by `AsyncRunClient`; as `Run`, with every method awaited."""

    def __init__(self, client: AsyncRunClient, run: OpenRun) -> None:
        super().__init__(run)
        self._client = client

    usage = _telling(run_calls.usage)
    failure = _telling(run_calls.failure)
    heartbeat = _telling(run_calls.heartbeat)
    end = _telling(run_calls.end)

    async def end_by(self, error: BaseException) -> None:
        """End the run as the exception that left it says; see `Run.end_by`."""
        if self.ended:
            return
        try:
            for call in run_calls.end_by(self._client.settings, self._run, error):
                await self._tell(call)
        except ProducerError as reason:
            error.add_note(run_calls.untold(self._run, reason))

    async def _tell(self, call: Call[AnswerT]) -> AnswerT:
        answer = await self._client.tell(call)
        if call.ends:
            self._run.ended = True
        return answer
