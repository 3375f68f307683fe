"""The OpenAI client: every call of a model, reported as it is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from openai import AsyncOpenAI, AsyncStream, OpenAI, Stream

from runledger.integrations.openai_calls import Observed
from runledger.integrations.openai_streams import Watch, WatchedAsyncStream, WatchedStream
from runledger.integrations.reporting import Reporter, undisturbed
from runledger.producers import AsyncRun, AsyncRunClient, Run, RunClient
from runledger.producers.open_run import OpenRun, current
from runledger.schemas.identifiers import new_event_id

ModelClientT = TypeVar("ModelClientT", bound=OpenAI | AsyncOpenAI)

_ORIGINAL: Final = "__runledger_original__"
_RAW_HEADER: Final = "X-Stainless-Raw-Response"
"""What `with_raw_response` ("true") and `with_streaming_response` ("stream") put into a call's headers."""


def track(
    model_client: ModelClientT,
    client: RunClient | AsyncRunClient,
    run: Run | AsyncRun | None = None,
    *,
    project: str | None = None,
    agent: str = "openai",
    previews: bool = True,
    ask_for_usage: bool = False,
) -> ModelClientT:
    """Report each call of a model that this OpenAI client makes, and return the client.

    Chat completions, responses and embeddings are reported: `create`, `parse` and `stream`. What they return and raise
    stays as it is. A call belongs to `run`, else to the caller's current run, else it is a run of its own. A failed
    call is a recorded failure. Nothing here raises into the program or makes it wait, except for what a strict client
    is asked to. Tracking a client again replaces the earlier tracking; copies made by `with_options` are not tracked.

    Args:
        model_client: an OpenAI or AsyncOpenAI client, or one for Azure.
        client: through which to tell; it stays the caller's to close.
        run: the run of all calls.
        project: of calls outside of any run; RUNLEDGER_PROJECT if left out.
        agent: who makes such calls.
        previews: whether to tell an excerpt of each prompt, masked.
        ask_for_usage: ask for the usage of streamed chat completions whose caller did not, by
            `stream_options={"include_usage": True}`, and keep the extra chunk from the caller. Otherwise such a
            call is told without tokens. Some servers refuse the option, so it is not the default.
    """
    reporter = Reporter(client, project=project, agent=agent, previews=previews)
    opened = None if run is None else OpenRun(run.project, run.agent, run.run_id)
    tracker = _Tracker(reporter, opened, ask_for_usage=ask_for_usage)
    for resource, kind in (
        (model_client.chat.completions, "chat completion"),
        (model_client.responses, "response"),
        (model_client.embeddings, "embedding"),
    ):
        for name in ("create", "parse"):
            if (method := getattr(resource, name, None)) is not None:
                original = getattr(method, _ORIGINAL, method)
                wrap = tracker.wrap_async if isinstance(model_client, AsyncOpenAI) else tracker.wrap
                tracked = wrap(original, kind)
                setattr(tracked, _ORIGINAL, original)
                setattr(resource, name, tracked)
    return model_client


class _Tracker:
    def __init__(self, reporter: Reporter, run: OpenRun | None, *, ask_for_usage: bool) -> None:
        self._reporter = reporter
        self._run = run
        self._ask_for_usage = ask_for_usage

    def wrap(self, method: Callable[..., Any], kind: str) -> Callable[..., Any]:
        """Watch a method of a plain client."""

        @wraps(method)
        def tracked(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # whatever the client takes and gives
            asked, watch = self._begin(kind, kwargs)
            try:
                answer = method(*args, **asked)
            except Exception as error:
                watch.finish(error)
                raise
            except BaseException:
                watch.finish()  # interrupted: the call was made, and nobody knows what it used
                raise
            if isinstance(answer, Stream):
                return WatchedStream(answer, watch)
            with undisturbed():
                watch.see(_body_of(answer, asked))
            watch.finish()
            return answer

        return tracked

    def wrap_async(self, method: Callable[..., Awaitable[Any]], kind: str) -> Callable[..., Awaitable[Any]]:
        """Watch a method of an asynchronous client."""

        @wraps(method)
        async def tracked(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # whatever the client takes and gives
            asked, watch = self._begin(kind, kwargs)
            try:
                answer = await method(*args, **asked)
            except Exception as error:
                await watch.finish_async(error)
                raise
            except BaseException:
                watch.finish()  # cancelled: as above, and without awaiting anything more
                raise
            if isinstance(answer, AsyncStream):
                return WatchedAsyncStream(answer, watch)
            with undisturbed():
                watch.see(_body_of(answer, asked))
            await watch.finish_async()
            return answer

        return tracked

    def _begin(self, kind: str, asked: dict[str, Any]) -> tuple[dict[str, Any], Watch]:
        """Give the arguments of the call, and the watch over it."""
        observed = Observed(kind, asked, current() if self._run is None else self._run, new_event_id)
        if not self._asks_itself(kind, asked):
            return asked, Watch(self._reporter, observed, hide_usage=False)
        options = {**(asked.get("stream_options") or {}), "include_usage": True}
        return {**asked, "stream_options": options}, Watch(self._reporter, observed, hide_usage=True)

    def _asks_itself(self, kind: str, asked: Mapping[str, Any]) -> bool:
        if not self._ask_for_usage or kind != "chat completion" or asked.get("stream") is not True or _raw(asked):
            return False
        options = asked.get("stream_options")
        return not options or (isinstance(options, Mapping) and "include_usage" not in options)


def _raw(asked: Mapping[str, Any]) -> str | None:
    headers = asked.get("extra_headers")
    return headers.get(_RAW_HEADER) if isinstance(headers, Mapping) else None


def _body_of(answer: Any, asked: Mapping[str, Any]) -> object:  # noqa: ANN401  # whatever the client gives
    """Look into a raw response that was read already; one that is still to be read is the caller's alone."""
    raw = _raw(asked)
    if raw is None:
        return answer
    return answer.parse() if raw == "true" and asked.get("stream") is not True else None
