"""One process's way out: a transport, what became of each event, and the spool behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from runledger.producers.deliveries import Deliveries, Expected, OnDelivered
from runledger.producers.errors import DeliveryError, QueueFullError
from runledger.producers.records import Record
from runledger.producers.settings import ProducerSettings
from runledger.producers.spooling import Spooler
from runledger.producers.stats import Stats
from runledger.producers.transport import Failure, Transport, TransportFullError

_QUEUE_FULL = Failure("the local queue is full")
_HEAR_EVERY = 100
"""Events between two looks at what the receiver says of earlier ones.

Left to the transport's thread alone, its words come one by one, each at the price of a change of threads: a busy
program lost a quarter of its time to that.
"""


class Outbox:
    """Hand records to a transport; what it cannot deliver goes to the spool, else is counted as lost.

    Args:
        settings: the bounds, and the spool.
        make_transport: makes the transport.
        strict: a full queue, with no spool, makes the call wait and then raise.
    """

    def __init__(
        self, settings: ProducerSettings, make_transport: Callable[[ProducerSettings], Transport], *, strict: bool
    ) -> None:
        if settings.spool is not None:
            patience = min(settings.spool_after_seconds, settings.delivery_timeout_seconds)
            settings = settings.model_copy(update={"delivery_timeout_seconds": patience})
        self._strict = strict
        self._queue_wait_seconds = settings.queue_wait_seconds
        self._deliveries = Deliveries()
        self._fail = self._failed  # made once, not for each event
        self._unheard = 0
        self._transport = make_transport(settings)
        try:
            self._spooler = (
                None if settings.spool is None else Spooler(settings.spool, settings.spool_bytes, self._transport)
            )
        except BaseException:
            self._transport.close()
            raise

    def put(self, record: Record, on_delivered: OnDelivered | None = None) -> None:
        """Take a record.

        Raises:
            QueueFullError: the queue stayed full for `queue_wait_seconds`; only where strict, and without a spool.
        """
        expected = self._deliveries.expect(record, on_delivered, self._fail)
        try:
            self._transport.send(record, expected)
        except TransportFullError:
            if self._strict and self._spooler is None:
                self._wait_and_send(expected)
            else:
                expected(_QUEUE_FULL)
        self._unheard += 1
        # Nobody's `on_delivered` is called from within another caller's call: it may wait for what that one holds.
        if self._unheard >= _HEAR_EVERY and not self._deliveries.listened_to:
            self._unheard = 0
            self._transport.hear()

    def flush(self, timeout_seconds: float) -> None:
        """Wait until everything is acknowledged, the spool's events too.

        Raises:
            DeliveryError: something is not.
        """
        deadline = time.monotonic() + timeout_seconds
        self._deliveries.wait(timeout_seconds)
        if self._spooler is not None:
            self._spooler.wait(deadline - time.monotonic())
        lost, unnamed = self._deliveries.take_lost()
        undelivered = (*lost, *self._deliveries.pending())
        spooled = self._spooler.waiting if self._spooler is not None else 0
        if undelivered or unnamed or spooled:
            raise DeliveryError(undelivered, unnamed=unnamed, spooled=spooled)

    def close(self, timeout_seconds: float) -> None:
        """Wait for what is pending, spool what is still pending then, and stop.

        Raises:
            DeliveryError: something was lost since the last flush.
        """
        self._deliveries.wait(timeout_seconds)
        pending = () if self._spooler is not None else self._deliveries.pending()
        if self._spooler is not None:
            self._spooler.stop_sending()
        lost, unnamed = self._deliveries.take_lost()
        self._transport.close()
        if self._spooler is not None:
            self._spooler.close()
            lost += self._deliveries.take_lost()[0]
        if lost or unnamed or pending:
            raise DeliveryError((*lost, *pending), unnamed=unnamed)

    def stats(self) -> Stats:
        """Count what became of everything."""
        counted = self._deliveries.stats()
        if self._spooler is None:
            return counted
        return replace(counted, sent_from_spool=self._spooler.sent, waiting_in_spool=self._spooler.waiting)

    def abandon(self) -> None:
        """Let go, in a forked process, of what belongs to the parent."""
        self._transport.abandon()
        if self._spooler is not None:
            self._spooler.abandon()

    def _wait_and_send(self, expected: Expected) -> None:
        deadline = time.monotonic() + self._queue_wait_seconds
        while (left := deadline - time.monotonic()) > 0:
            self._transport.wait_for_room(left)
            try:
                self._transport.send(expected.record, expected)
            except TransportFullError:
                continue
            return
        self._deliveries.forget(expected)
        raise QueueFullError(f"the local queue stayed full for {self._queue_wait_seconds} s")

    def _failed(self, expected: Expected, failure: Failure) -> None:
        if failure.final:
            self._deliveries.settle(expected, "refused", failure.reason)
        elif self._spooler is not None and self._spooler.append(expected.record):
            self._deliveries.settle(expected, "spooled", f"spooled, to be sent later: {failure.reason}")
        else:
            self._deliveries.settle(expected, "dropped", failure.reason)
