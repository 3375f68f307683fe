"""Streams of the OpenAI client that are watched while they are read; they stay `Stream` and `AsyncStream`."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any, Generic, TypeVar

from openai import AsyncStream, Stream

from runledger.integrations.openai_calls import Observed, only_tells_usage
from runledger.integrations.reporting import Reporter, undisturbed

PartT = TypeVar("PartT")


class Watch:
    """What is seen of one stream, and the telling of it: at its end, its error, its closing, or when it is dropped.

    Args:
        reporter: tells.
        observed: the call.
        hide_usage: whether the caller is not shown the chunk that only tells the usage.
    """

    def __init__(self, reporter: Reporter, observed: Observed, *, hide_usage: bool) -> None:
        self._reporter = reporter
        self._observed = observed
        self._hide_usage = hide_usage

    def see(self, part: object) -> bool:
        """Take note of a part; return whether the caller is to be shown it."""
        with undisturbed():
            self._observed.see(part)
        return not (self._hide_usage and only_tells_usage(part))

    def finish(self, error: BaseException | None = None) -> None:
        """Tell of the call, if that was not done before."""
        with undisturbed():
            if (call := self._observed.finished(error)) is not None:
                self._reporter.tell(call)

    async def finish_async(self, error: BaseException | None = None) -> None:
        """Do the same in an event loop."""
        with undisturbed():
            if (call := self._observed.finished(error)) is not None:
                await self._reporter.tell_async(call)


class WatchedStream(Stream[PartT], Generic[PartT]):
    """A stream that shows what it reads to a watch."""

    def __init__(self, stream: Stream[PartT], watch: Watch) -> None:
        self._stream = stream
        self._watch = watch
        self.response = stream.response
        weakref.finalize(self, watch.finish)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the stream has besides
        return getattr(self._stream, name)

    def __next__(self) -> PartT:
        """Read on."""
        while True:
            try:
                part = next(self._stream)
            except StopIteration:
                self._watch.finish()
                raise
            except Exception as error:
                self._watch.finish(error)
                raise
            except BaseException:
                self._watch.finish()
                raise
            if self._watch.see(part):
                return part

    def __iter__(self) -> Iterator[PartT]:
        """Read to the end."""
        return self

    def close(self) -> None:
        """Stop reading."""
        try:
            self._stream.close()
        finally:
            self._watch.finish()


class WatchedAsyncStream(AsyncStream[PartT], Generic[PartT]):
    """The same for an asynchronous stream."""

    def __init__(self, stream: AsyncStream[PartT], watch: Watch) -> None:
        self._stream = stream
        self._watch = watch
        self.response = stream.response
        weakref.finalize(self, watch.finish)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the stream has besides
        return getattr(self._stream, name)

    async def __anext__(self) -> PartT:
        """Read on."""
        while True:
            try:
                part = await anext(self._stream)
            except StopAsyncIteration:
                await self._watch.finish_async()
                raise
            except Exception as error:
                await self._watch.finish_async(error)
                raise
            except BaseException:
                self._watch.finish()  # cancelled: nothing more is awaited
                raise
            if self._watch.see(part):
                return part

    def __aiter__(self) -> AsyncIterator[PartT]:
        """Read to the end."""
        return self

    async def close(self) -> None:
        """Stop reading."""
        try:
            await self._stream.close()
        finally:
            await self._watch.finish_async()
