"""Hand an event over and await the broker's word, within a bound."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Literal, Self, TypeAlias

import structlog

from runledger.producers.errors import ClosedError, DeliveryError, InvalidEventError, QueueFullError, Undelivered
from runledger.producers.publisher import Publisher
from runledger.producers.records import Record
from runledger.producers.settings import ProducerSettings
from runledger.producers.tellings import Tellable
from runledger.producers.weighing import are_heavy

Outcome: TypeAlias = Literal["delivered", "unknown", "refused"]
ACKNOWLEDGEMENT_SECONDS = 1.5
"""A door answers within two seconds (the promise of docs/http.md), the rest of its work included."""
_LEAST_SECONDS = 0.3
"""What the broker has to answer in, however long masking took: else the largest events would never be acknowledged."""
_LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Emission:
    """What became of one event.

    Args:
        outcome: delivered = the broker has it; refused = it was never handed over, sending it again is harmless;
            unknown = not acknowledged in time, it may yet arrive: only a repetition with the same event id counts once.
        reason: why not delivered, one line.
        too_large: refused for its size, which no repetition mends.
    """

    outcome: Outcome
    reason: str = ""
    too_large: bool = False


_DELIVERED = Emission("delivered")
_NOT_IN_TIME = Emission("unknown", "the broker has not acknowledged it in time")


class Emitter:
    """Publish events and await their acknowledgement. Use it as an async context manager, in one event loop.

    Args:
        settings: of the producer; the local queue never makes a caller wait.
        acknowledgement_seconds: how long `emit` waits for the broker.
    """

    def __init__(self, settings: ProducerSettings, acknowledgement_seconds: float = ACKNOWLEDGEMENT_SECONDS) -> None:
        # A full queue must not stop the event loop, it is said at once; and what a caller was told is unknown must not
        # lie in a spool, to arrive hours later.
        self._publisher = Publisher(settings.model_copy(update={"queue_wait_seconds": 0.0, "spool": None}))
        self._acknowledgement_seconds = acknowledgement_seconds
        self._flush_timeout_seconds = settings.flush_timeout_seconds

    async def emit(self, event: Tellable, within_seconds: float | None = None) -> Emission:
        """Send one event; return what became of it, as `emit_all` does."""
        return (await self.emit_all([event], within_seconds))[0]

    async def emit_all(self, events: Sequence[Tellable], within_seconds: float | None = None) -> list[Emission]:
        """Send events in their order; return what became of each.

        Args:
            events: what happened.
            within_seconds: how long to wait for all together, masking included; `acknowledgement_seconds` if left out.
        """
        began = time.monotonic()
        wait_seconds = self._acknowledgement_seconds if within_seconds is None else max(0.0, within_seconds)
        told = _Told(len(events))
        if are_heavy(events):
            # Every other call waits for this loop: a thread does what takes long.
            await asyncio.to_thread(self._hand_over_all, events, told)
        else:
            self._hand_over_all(events, told)
        least_seconds = min(_LEAST_SECONDS, wait_seconds)
        return await told.within(max(least_seconds, wait_seconds - (time.monotonic() - began)))

    async def close(self) -> None:
        """Wait for what is pending, at most `flush_timeout_seconds`, and stop."""
        try:
            await asyncio.to_thread(self._publisher.close, self._flush_timeout_seconds)
        except DeliveryError as error:
            _LOG.warning("closed_with_undelivered_events", count=len(error.undelivered))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _hand_over_all(self, events: Sequence[Tellable], told: _Told) -> None:
        """Mask and encode all, then hand them over."""
        for index, record in enumerate([self._record_of(event) for event in events]):
            if isinstance(record, Emission):
                told.hear(index, record)
            else:
                self._hand_over(record, told, index)

    def _record_of(self, event: Tellable) -> Record | Emission:
        try:
            return self._publisher.record_of(event)
        except InvalidEventError as error:
            return Emission("refused", error.reason, too_large=True)

    def _hand_over(self, record: Record, told: _Told, index: int) -> None:
        try:
            self._publisher.hand_over(record, partial(told.hear_report, index))
        except (QueueFullError, ClosedError) as error:
            told.hear(index, Emission("refused", str(error)))


class _Told:
    """What became of each of several events: heard from any thread, awaited in the loop it was made in.

    The loop is woken once, however many they are: forty thousand futures would hold it up for seconds.

    Args:
        count: of the events.
    """

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._complete = asyncio.Event()
        self._lock = threading.Lock()
        self._heard: dict[int, Emission] = {}
        self._count = count

    def hear(self, index: int, emission: Emission) -> None:
        """Note what became of one; the first word holds."""
        with self._lock:
            self._heard.setdefault(index, emission)
            is_complete = len(self._heard) == self._count
        if is_complete:
            with suppress(RuntimeError):  # the caller's loop may be closed by now, with nobody left to hear
                self._loop.call_soon_threadsafe(self._complete.set)

    def hear_report(self, index: int, failure: Undelivered | None) -> None:
        """Note the broker's word on one."""
        self.hear(index, _DELIVERED if failure is None else Emission("unknown", failure.reason))

    async def within(self, seconds: float) -> list[Emission]:
        """Wait for all, and give what is known of each when the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if self._count:
                    await self._complete.wait()
        with self._lock:
            return [self._heard.get(index, _NOT_IN_TIME) for index in range(self._count)]
