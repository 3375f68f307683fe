"""One run that is being told about."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from runledger.producers import run_calls
from runledger.producers.calls import Call
from runledger.producers.errors import ProducerError
from runledger.producers.open_run import OpenRun, RunHandle
from runledger.producers.settings import ProducerSettings

if TYPE_CHECKING:
    from runledger.producers.client import RunClient

P = ParamSpec("P")
AnswerT = TypeVar("AnswerT")


def _telling(
    describe: Callable[Concatenate[ProducerSettings, OpenRun, P], Call[AnswerT]],
) -> Callable[Concatenate[Run, P], AnswerT]:
    """Make a method of the description of a call."""

    @wraps(describe)
    def tell(self: Run, /, *args: P.args, **kwargs: P.kwargs) -> AnswerT:
        self._run.refuse_if_ended()
        return self._tell(describe(self._client.settings, self._run, *args, **kwargs))

    return tell


class Run(RunHandle):
    """Tell what happens in one started run. Made by `RunClient.run`, `RunClient.start_run` and `RunClient.current_run`.

    Every method takes `event_id` (an idempotency key: repeated, it counts once) and `occurred_at` (an aware time, now
    if left out), and raises InvalidEventError, ClosedError or, from a strict client, QueueFullError.
    """

    def __init__(self, client: RunClient, run: OpenRun) -> None:
        super().__init__(run)
        self._client = client

    usage = _telling(run_calls.usage)
    failure = _telling(run_calls.failure)
    heartbeat = _telling(run_calls.heartbeat)
    end = _telling(run_calls.end)

    def end_by(self, error: BaseException) -> None:
        """End the run as the exception that left it says; do nothing if it was ended before.

        An Exception is recorded as a failure and ends the run failed; anything else (KeyboardInterrupt, SystemExit, a
        cancelled task) ends it interrupted. What could not be told becomes a note on the exception, never hides it.
        """
        if self.ended:
            return
        try:
            for call in run_calls.end_by(self._client.settings, self._run, error):
                self._tell(call)
        except ProducerError as reason:
            error.add_note(run_calls.untold(self._run, reason))

    def _tell(self, call: Call[AnswerT]) -> AnswerT:
        answer = self._client.tell(call)
        if call.ends:
            self._run.ended = True
        return answer
