"""What was sent, and what became of it as far as the sender knows: the generator's own ledger."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeAlias
from uuid import UUID

from runledger.producers.client import RunClient
from runledger.producers.errors import ProducerError, Undelivered
from runledger.producers.settings import ProducerSettings
from runledger.producers.stats import Stats
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings

EventKey: TypeAlias = tuple[str, UUID, str]
"""(project, run, event id): the same however often it is sent."""
Fate: TypeAlias = Literal["ok", "info", "fail"]
"""ok: acknowledged. info: unknown, it may stand in the log or not. fail: refused, it must not stand there."""
_BETTER = {"ok": 2, "info": 1, "fail": 0}


def key_of(event: AnyRunEvent) -> EventKey:
    """Name an event."""
    return event.project_key, event.run_id, event.event_id


class SentLedger:
    """The fate of every event, by its best delivery. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.fates: dict[EventKey, Fate] = {}
        self.deliveries = 0
        """Times that something was sent, repeats among them."""

    def note(self, key: EventKey, fate: Fate) -> None:
        """Note what is known of one delivery."""
        with self._lock:
            known = self.fates.get(key)
            if known is None or _BETTER[fate] > _BETTER[known]:
                self.fates[key] = fate

    def counts(self) -> Counter[Fate]:
        """Count events by fate."""
        return Counter(self.fates.values())


class Sender:
    """Sends events at a bounded rate through the SDK, in a thread of its own, and notes what the broker says.

    Args:
        settings: where to.
        ledger: where to note it.
        events: what to send.
        per_second: how fast; 0 for as fast as it goes.
        strict: as the client's: whether a call waits for room in a full queue.
        client_settings: further ones.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        ledger: SentLedger,
        events: Iterable[AnyRunEvent],
        per_second: float = 0,
        *,
        strict: bool = True,
        **client_settings: float,
    ) -> None:
        patience = {"delivery_timeout_seconds": 60, "queue_wait_seconds": 60, **client_settings}
        self._client = RunClient(
            settings=ProducerSettings.model_validate({**settings.model_dump(), **patience}), strict=strict
        )
        self.took_seconds: list[float] = []
        """What each call cost its caller."""
        self.stats: Stats | None = None
        """The client's own counts, once all is sent."""
        self.per_second = 0.0
        """Calls in a second, from the first to the last, once all is sent."""
        self._ledger = ledger
        self._events = events
        self._per_second = per_second
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._failure: BaseException | None = None
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping.set()

    def wait(self, timeout_seconds: float = 120) -> None:
        """Wait until all is sent and the broker has spoken on each."""
        self._thread.join(timeout_seconds)
        assert not self._thread.is_alive(), "the sender is not done"
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            with self._client:
                began = time.monotonic()
                self._send()
                self.per_second = len(self.took_seconds) / (time.monotonic() - began)
                self._client.flush(90)
                self.stats = self._client.stats()
        except BaseException as error:  # noqa: BLE001  # carried into the test's own thread
            self._failure = error

    def _send(self) -> None:
        began = time.monotonic()
        for number, event in enumerate(self._events):
            if number % 20 == 0 and self._per_second:
                due = began + number / self._per_second
                if self._stopping.wait(max(0.0, due - time.monotonic())):
                    return
            self._send_one(event)

    def _send_one(self, event: AnyRunEvent) -> None:
        key = key_of(event)
        self._ledger.deliveries += 1

        def told(failure: Undelivered | None) -> None:
            if failure is None:
                self._ledger.note(key, "ok")

        began = time.perf_counter()
        try:
            self._client.publish(event, told)
        except ProducerError:
            self._ledger.note(key, "fail")
        else:
            self._ledger.note(key, "info")
        self.took_seconds.append(time.perf_counter() - began)
