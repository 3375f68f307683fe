"""LiteLLM: every call of a model, reported by a callback."""

from __future__ import annotations

import asyncio
import atexit
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

from runledger.integrations.litellm_calls import CAUGHT_RUN, answered_call, failed_call
from runledger.integrations.litellm_waiting import BegunCalls
from runledger.integrations.reporting import Reporter, undisturbed
from runledger.producers import AsyncRunClient, RunClient
from runledger.producers.open_run import current

_POLL_SECONDS: Final = 0.02
_AGAIN_SECONDS: Final = 1.0
"""How long an attempt after a failure is waited for: LiteLLM tells of it soon after its end, or never."""


class RunledgerLogger(CustomLogger):  # type: ignore[misc]  # LiteLLM is too large to be type-checked along
    """Report each call that LiteLLM makes: `litellm.callbacks = [RunledgerLogger(client)]`.

    A call belongs to the run named in its metadata (`metadata={"runledger_run_id": run.run_id}`), else to the
    caller's current run, else it is a run of its own. Tokens and the cost are LiteLLM's; a failed call is a recorded
    failure. Nothing here raises into the program or makes it wait, except for what a strict client is asked to.

    LiteLLM calls loggers later, from its own threads and tasks: `flush` before closing the client.

    Args:
        client: through which to tell; it stays the caller's to close.
        project: of calls outside of any run; RUNLEDGER_PROJECT if left out.
        agent: who makes such calls.
        previews: whether to tell an excerpt of each prompt, masked.
    """

    def __init__(
        self,
        client: RunClient | AsyncRunClient,
        *,
        project: str | None = None,
        agent: str = "litellm",
        previews: bool = True,
    ) -> None:
        super().__init__()
        self._reporter = Reporter(client, project=project, agent=agent, previews=previews)
        self._project = self._reporter.owner.project
        self._begun = BegunCalls()
        # Runs before the client's own hook, which was registered earlier: what LiteLLM still holds comes out in time.
        atexit.register(_drain_at_exit, weakref.ref(self))

    def log_pre_api_call(self, model: str, messages: object, kwargs: dict[str, Any]) -> None:
        """Keep the caller's run: the later callbacks come from other threads and contexts."""
        with undisturbed():
            kwargs[CAUGHT_RUN] = current()
            self._begun.begin(str(kwargs.get("litellm_call_id")))

    def log_success_event(
        self, kwargs: dict[str, Any], response_obj: object, start_time: object, end_time: object
    ) -> None:
        """Tell of an answered call."""
        with self._telling(kwargs, failed=False):
            self._reporter.tell(answered_call(kwargs, response_obj, (start_time, end_time), self._project))

    def log_failure_event(
        self, kwargs: dict[str, Any], response_obj: object, start_time: object, end_time: object
    ) -> None:
        """Tell of a failed call."""
        with self._telling(kwargs, failed=True):
            self._reporter.tell(failed_call(kwargs, (start_time, end_time), self._project))

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: object, start_time: object, end_time: object
    ) -> None:
        """Tell of an answered call, in an event loop."""
        with self._telling(kwargs, failed=False):
            await self._reporter.tell_async(answered_call(kwargs, response_obj, (start_time, end_time), self._project))

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: object, start_time: object, end_time: object
    ) -> None:
        """Tell of a failed call, in an event loop."""
        with self._telling(kwargs, failed=True):
            await self._reporter.tell_async(failed_call(kwargs, (start_time, end_time), self._project))

    def flush(self, timeout_seconds: float = 10) -> None:
        """Wait until every call that was begun is reported, and everything the client told is acknowledged.

        Not from within an event loop: there, `await aflush()`. A stream that is left before its end is never reported
        by LiteLLM, nor is a call that is cancelled, and makes this wait for its whole time.

        Raises:
            DeliveryError: some events failed, or were still pending when the time was up.
        """
        deadline = time.monotonic() + timeout_seconds
        if self._begun.any_first() or self._begun.any_again():
            asyncio.run(self._drain(timeout_seconds))
        self._reporter.client.flush(max(0.0, deadline - time.monotonic()))

    async def aflush(self, timeout_seconds: float = 10) -> None:
        """Do as `flush`, from within an event loop.

        Raises:
            DeliveryError: as `flush`.
        """
        deadline = time.monotonic() + timeout_seconds
        await self._drain(timeout_seconds)
        await asyncio.to_thread(self._reporter.client.flush, max(0.0, deadline - time.monotonic()))

    async def _drain(self, timeout_seconds: float) -> None:
        """Let LiteLLM run the callbacks that it holds, in this loop or in its threads."""
        with undisturbed():
            async with asyncio.timeout(timeout_seconds):
                await GLOBAL_LOGGING_WORKER.flush()
                await _until_none(self._begun.any_first)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN_SECONDS):
                        await _until_none(self._begun.any_again)
        self._begun.forget()

    @contextmanager
    def _telling(self, kwargs: Mapping[str, Any], *, failed: bool) -> Iterator[None]:
        """Let nothing out, and wait for the call no longer."""
        try:
            with undisturbed():
                yield
        finally:
            self._begun.tell(str(kwargs.get("litellm_call_id")), failed=failed)


async def _until_none(are_left: Callable[[], bool]) -> None:
    while are_left():  # noqa: ASYNC110  # the callbacks come from threads, to any loop
        await asyncio.sleep(_POLL_SECONDS)


def _drain_at_exit(reference: weakref.ref[RunledgerLogger]) -> None:
    logger = reference()
    if logger is not None and (logger._begun.any_first() or logger._begun.any_again()):
        with undisturbed():
            asyncio.run(GLOBAL_LOGGING_WORKER.flush())
