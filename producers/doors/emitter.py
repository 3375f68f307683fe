"""Hand an event over and await the broker's word, within a bound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeAlias

import structlog

from runledger.producers.errors import ClosedError, DeliveryError, InvalidEventError, QueueFullError, Undelivered
from runledger.producers.publisher import Publisher
from runledger.producers.records import Record
from runledger.producers.settings import ProducerSettings
from runledger.producers.weighing import are_heavy
from runledger.schemas.run_events import AnyRunEvent

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

    async def emit(self, event: AnyRunEvent, within_seconds: float | None = None) -> Emission:
        """Send one event; return what became of it, as `emit_all` does."""
        return (await self.emit_all([event], within_seconds))[0]

    async def emit_all(self, events: Sequence[AnyRunEvent], within_seconds: float | None = None) -> list[Emission]:
        """Send events in their order; return what became of each.

        Args:
            events: what happened.
            within_seconds: how long to wait for all together, masking included; `acknowledgement_seconds` if left out.
        """
        began = time.monotonic()
        wait_seconds = self._acknowledgement_seconds if within_seconds is None else max(0.0, within_seconds)
        records = await self._records_of(events)
        least_seconds = min(_LEAST_SECONDS, wait_seconds)
        wait_seconds = max(least_seconds, wait_seconds - (time.monotonic() - began))
        handed_over = [self._hand_over(record) for record in records]
        waiting = [future for future in handed_over if isinstance(future, asyncio.Future)]
        if waiting:
            await asyncio.wait(waiting, timeout=wait_seconds)
        return [_settled(future) if isinstance(future, asyncio.Future) else future for future in handed_over]

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

    async def _records_of(self, events: Sequence[AnyRunEvent]) -> list[Record | Emission]:
        """Mask and encode; in a thread where it takes long, since every other call waits for this loop."""
        if are_heavy(events):
            return await asyncio.to_thread(lambda: [self._record_of(event) for event in events])
        return [self._record_of(event) for event in events]

    def _record_of(self, event: AnyRunEvent) -> Record | Emission:
        try:
            return self._publisher.record_of(event)
        except InvalidEventError as error:
            return Emission("refused", error.reason, too_large=True)

    def _hand_over(self, record: Record | Emission) -> asyncio.Future[Undelivered | None] | Emission:
        if isinstance(record, Emission):
            return record
        loop = asyncio.get_running_loop()
        delivered: asyncio.Future[Undelivered | None] = loop.create_future()
        try:
            self._publisher.hand_over(record, lambda failure: _tell(loop, delivered, failure))
        except (QueueFullError, ClosedError) as error:
            return Emission("refused", str(error))
        return delivered


def _settled(delivered: asyncio.Future[Undelivered | None]) -> Emission:
    if not delivered.done():
        delivered.cancel()  # so that a late report is dropped
        return Emission("unknown", "the broker has not acknowledged it in time")
    failure = delivered.result()
    return Emission("delivered") if failure is None else Emission("unknown", failure.reason)


def _tell(
    loop: asyncio.AbstractEventLoop, delivered: asyncio.Future[Undelivered | None], failure: Undelivered | None
) -> None:
    """Carry the broker's word into the caller's loop; it may be closed by then, with nobody left to hear."""

    def settle() -> None:
        if not delivered.done():
            delivered.set_result(failure)

    with suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)
