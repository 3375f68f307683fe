"""Records over the HTTP gateway, in batches, from a thread of its own.

The standard library's http.client is enough for one host, one route and one thread; it keeps the base install light.
"""

from __future__ import annotations

import codecs
import http.client
import logging
import socket
import ssl
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from runledger.producers.endpoint import Endpoint
from runledger.producers.http_answers import Answer, read_answer
from runledger.producers.records import Record
from runledger.producers.settings import ProducerSettings
from runledger.producers.transport import Failure, Report, TransportFullError

ROUTE = "/api/v1/events"
CONTENT_TYPE = "application/cloudevents-batch+json; charset=UTF-8"
_BATCH_EVENTS = 100
_BATCH_BYTES = 1024 * 1024
_LINGER_SECONDS = 0.02
_REQUEST_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_LOOK_SECONDS = 0.5
_ROOM_SECONDS = 0.1
_IDLE_SECONDS = 3.0
"""Servers close idle connections, many after 5 s: a request on one of those would be lost."""
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_LOG = logging.getLogger(__name__)

# The first connection would import this codec, in the transport's thread. A process forked in that very moment inherits
# the import's lock, held by a thread it does not have, and could never connect.
codecs.lookup("idna")


@dataclass(slots=True)
class _Sending:
    record: Record
    report: Report
    give_up_at: float
    failure: Failure


class HttpTransport:
    """Send batches of CloudEvents to a gateway; retried with the same event ids, so a repeat counts once.

    Args:
        endpoint: where the gateway is.
        api_key: the key it knows us by; none where it trusts its network.
        settings: the bounds.
    """

    def __init__(self, endpoint: Endpoint, api_key: str | None, settings: ProducerSettings) -> None:
        self._endpoint = endpoint
        self._headers = {"Content-Type": CONTENT_TYPE, "User-Agent": "runledger-sdk"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._tls = ssl.create_default_context() if endpoint.scheme == "https" else None
        self._settings = settings
        self._changed = threading.Condition()
        self._queue: deque[_Sending] = deque()
        self._held_bytes = 0
        self._held = 0
        self._closed = False
        self._connection: http.client.HTTPConnection | None = None
        self._batch: list[_Sending] = []
        self._batch_events = _BATCH_EVENTS
        self._used_at = 0.0
        self._thread = threading.Thread(target=self._serve, name="runledger-http", daemon=True)
        self._thread.start()

    def send(self, record: Record, report: Report) -> None:
        """Queue a record; see `Transport.send`."""
        give_up_at = time.monotonic() + self._settings.delivery_timeout_seconds
        with self._changed:
            over = self._held_bytes + len(record.value) > self._settings.queue_bytes
            if self._closed or over or self._held >= self._settings.queue_events:
                raise TransportFullError
            self._queue.append(_Sending(record, report, give_up_at, Failure("the gateway was not asked in time")))
            self._held += 1
            self._held_bytes += len(record.value)
            self._changed.notify_all()

    def hear(self) -> None:
        """See `Transport.hear`: reports come for a hundred events at once, from the thread that sent them."""

    def wait_for_room(self, seconds: float) -> None:
        """See `Transport.wait_for_room`."""
        with self._changed:
            # Whether there is room depends on the record's size, so any change is worth a try; one that came just
            # before this is made up for by the bound.
            self._changed.wait(min(seconds, _ROOM_SECONDS))

    def close(self) -> None:
        """See `Transport.close`. A request on its way is cut off, and its events count as failed: nobody knows."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(_CLOSE_SECONDS)
        for sending in (*self._batch, *self._queue):
            sending.report(Failure("given up: the client was closed"))

    def abandon(self) -> None:
        """See `Transport.abandon`: the thread stayed in the parent, there is nothing to let go of."""

    def _serve(self) -> None:
        pause, attempt_at = 0.0, 0.0
        while not self._closed:
            self._wait_for_work(attempt_at)
            self._drop_overdue()
            if time.monotonic() < attempt_at:
                continue
            self._fill_batch()
            if self._batch and not self._closed:
                pause = self._attempt(pause)
                attempt_at = time.monotonic() + pause
        self._disconnect()

    def _wait_for_work(self, attempt_at: float) -> None:
        """Wait out a pause, a second of it at most; or for the first event, and a moment for more to come with it."""
        pause = attempt_at - time.monotonic()
        with self._changed:
            if pause > 0:
                self._changed.wait_for(lambda: self._closed, min(pause, _LOOK_SECONDS))
            elif not self._batch:
                self._changed.wait_for(lambda: self._closed or self._queue)
                self._changed.wait_for(lambda: self._closed or len(self._queue) >= self._batch_events, _LINGER_SECONDS)

    def _fill_batch(self) -> None:
        size = sum(len(sending.record.value) for sending in self._batch)
        with self._changed:
            while self._queue and len(self._batch) < self._batch_events:
                size += len(self._queue[0].record.value)
                if self._batch and size > _BATCH_BYTES:
                    break
                self._batch.append(self._queue.popleft())

    def _drop_overdue(self) -> None:
        """Report what was not delivered in its time."""
        now = time.monotonic()
        overdue = [sending for sending in self._batch if sending.give_up_at <= now]
        self._batch = [sending for sending in self._batch if sending.give_up_at > now]
        with self._changed:
            while self._queue and self._queue[0].give_up_at <= now:
                overdue.append(self._queue.popleft())
        for sending in overdue:
            self._settle(sending, sending.failure)

    def _attempt(self, pause: float) -> float:
        """Send the batch once; keep what is to be sent again, and return after how long."""
        batch = self._batch
        longer = min(max(_FIRST_PAUSE_SECONDS, 2 * pause), _LONGEST_PAUSE_SECONDS)
        try:
            answer = self._post([sending.record for sending in batch])
        except Exception as error:  # noqa: BLE001  # whatever it is, the thread serves every other event too
            self._disconnect()
            _LOG.info("the gateway cannot be reached: %r", error)
            for sending in batch:
                sending.failure = Failure(f"the gateway cannot be reached: {type(error).__name__}")
            return longer
        if answer.split:
            self._split()
            return 0.0
        again = []
        for position, (sending, outcome) in enumerate(zip(batch, answer.outcomes, strict=True)):
            if position in answer.retry and outcome is not None:
                sending.failure = outcome
                again.append(sending)
            else:
                self._settle(sending, outcome)
        self._batch = again
        if not again:
            return 0.0
        return longer if answer.pause_seconds is None else answer.pause_seconds

    def _split(self) -> None:
        """Send less at once from now on."""
        self._batch_events = max(1, len(self._batch) // 2)
        with self._changed:
            self._queue.extendleft(reversed(self._batch[self._batch_events :]))
        self._batch = self._batch[: self._batch_events]

    def _settle(self, sending: _Sending, outcome: Failure | None) -> None:
        with self._changed:
            self._held -= 1
            self._held_bytes -= len(sending.record.value)
            self._changed.notify_all()
        sending.report(outcome)

    def _post(self, records: list[Record]) -> Answer:
        if time.monotonic() - self._used_at > _IDLE_SECONDS:
            self._disconnect()
        if self._connection is None:
            self._connection = self._connect()
        body = b"[" + b",".join(record.value for record in records) + b"]"
        self._connection.request("POST", self._endpoint.path + ROUTE, body, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        self._used_at = time.monotonic()
        return read_answer(response.status, response.getheader("Retry-After"), content, len(records), datetime.now(UTC))

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._endpoint.address, self._endpoint.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=_REQUEST_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=_REQUEST_SECONDS, context=self._tls)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
