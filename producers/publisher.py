"""Events to the log, from any thread and any process, and the receiver's word on each."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable
from functools import cache

from runledger.producers.deliveries import OnDelivered
from runledger.producers.errors import ClosedError, DeliveryError, SpoolLockedError
from runledger.producers.kafka_transport import KafkaTransport
from runledger.producers.masking import masker_of
from runledger.producers.outbox import Outbox
from runledger.producers.records import Record
from runledger.producers.settings import ProducerSettings
from runledger.producers.stats import Stats
from runledger.producers.tellings import Tellable, record_of
from runledger.producers.transport import Transport

_LOG = logging.getLogger(__name__)
_PUBLISHERS: weakref.WeakSet[Publisher] = weakref.WeakSet()


class Publisher:
    """Mask and encode events and hand them over. Safe to share between threads; a forked process makes its own way out.

    One that nobody closed still waits for its acknowledgements when the program ends, at most `flush_timeout_seconds`.

    Args:
        settings: addresses and bounds.
        make_transport: makes what carries the records; Kafka if left out.
        strict: a full queue and lost events raise; otherwise they are counted and logged.

    Raises:
        ConfigurationError: the spool or the transport cannot be had, or a mask pattern cannot be used.
    """

    def __init__(
        self,
        settings: ProducerSettings,
        make_transport: Callable[[ProducerSettings], Transport] = KafkaTransport,
        *,
        strict: bool = True,
    ) -> None:
        self._settings = settings
        self._make_transport = make_transport
        self._strict = strict
        self._masker = masker_of(settings.mask_patterns)
        self._lock = threading.Lock()
        self._closed = False
        self._inherited = False
        self._outbox: Outbox | None = None
        self._last_stats = Stats()
        _watch_forks()
        _PUBLISHERS.add(self)
        self._outbox_here()

    def publish(self, event: Tellable, on_delivered: OnDelivered | None = None) -> None:
        """Queue one event. Returning means queued, not delivered: only `flush` tells.

        Args:
            event: what happened.
            on_delivered: called from the publisher's thread with None once acknowledged, else with the failure, which
                `flush` then leaves out. A spooled event counts as a failure here.

        Raises:
            InvalidEventError: the event is too large.
            QueueFullError: the local queue stayed full for `queue_wait_seconds`; only where strict.
            ClosedError: closed before.
        """
        record = record_of(event, self._masker)
        (self._outbox or self._outbox_here()).put(record, on_delivered)

    def record_of(self, event: Tellable) -> Record:
        """Mask and encode an event: the first half of `publish`, by far the longer one where the event is large.

        Raises:
            InvalidEventError: the event is too large.
        """
        return record_of(event, self._masker)  # the only way in: nothing durable lies before it

    def hand_over(self, record: Record, on_delivered: OnDelivered | None = None) -> None:
        """Queue what `record_of` made; the second half of `publish`.

        Raises:
            QueueFullError: as `publish`.
            ClosedError: as `publish`.
        """
        (self._outbox or self._outbox_here()).put(record, on_delivered)

    def flush(self, timeout_seconds: float) -> None:
        """Wait until the receiver has acknowledged every event, those in the spool too.

        Raises:
            DeliveryError: some failed, or were still pending when the time was up; it names them.
        """
        if (outbox := self._outbox) is not None:
            outbox.flush(timeout_seconds)

    def close(self, timeout_seconds: float) -> None:
        """Flush and stop; what is still pending then goes to the spool, else is given up. Closing twice is harmless.

        Raises:
            DeliveryError: events were lost; only where strict, otherwise it is logged. It is closed all the same.
        """
        with self._lock:
            outbox, self._outbox, self._closed = self._outbox, None, True
        atexit.unregister(self._close_at_exit)
        if outbox is None:
            return
        try:
            outbox.close(timeout_seconds)
        except DeliveryError as error:
            if self._strict:
                raise
            _LOG.warning("closed: %s", error)
        finally:
            self._last_stats = outbox.stats()

    def stats(self) -> Stats:
        """Count what became of everything this process told."""
        outbox = self._outbox
        return self._last_stats if outbox is None else outbox.stats()

    def _outbox_here(self) -> Outbox:
        with self._lock:
            if self._closed:
                raise ClosedError("the client is closed")
            if self._outbox is None:
                self._outbox = self._open()
                self._last_stats = Stats()
                self._close_when_the_process_ends()
            return self._outbox

    def _open(self) -> Outbox:
        try:
            return Outbox(self._settings, self._make_transport, strict=self._strict)
        except (OSError, SpoolLockedError) as error:
            if not self._inherited:
                raise
            # Nobody makes a client here who could be told: an agent's call must not fail for want of a spool.
            _LOG.warning("this forked process has no spool: %s", error)
            settings = self._settings.model_copy(update={"spool": None})
            return Outbox(settings, self._make_transport, strict=self._strict)

    def _close_when_the_process_ends(self) -> None:
        atexit.register(self._close_at_exit)
        # A forked child of multiprocessing ends without atexit, but not without its own finalizers.
        if (util := sys.modules.get("multiprocessing.util")) is not None:
            util.Finalize(None, self._close_at_exit, exitpriority=0)

    def _close_at_exit(self) -> None:
        try:
            self.close(self._settings.flush_timeout_seconds)
        except DeliveryError as error:
            _LOG.warning("the program ends: %s", error)

    def _start_anew(self) -> None:
        """Begin with nothing, in a process just forked: threads did not come along, and a lock may be held for ever."""
        self._lock = threading.Lock()
        self._inherited = True
        outbox, self._outbox = self._outbox, None
        self._last_stats = Stats()
        if outbox is not None:
            outbox.abandon()


def _start_all_anew() -> None:
    for publisher in tuple(_PUBLISHERS):
        publisher._start_anew()


@cache
def _watch_forks() -> None:
    """Have every publisher begin anew in forked processes; registered once, when the first one is made."""
    os.register_at_fork(after_in_child=_start_all_anew)
