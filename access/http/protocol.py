"""HTTP/1.1 with bounds on what a peer may make us hold: a head's size and fields, and the time of every part."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """What uvicorn runs per connection; its parser alone would take a head of any size, at any pace.

    Between a request's answer and the first byte of the next, uvicorn's own timer runs (`timeout_keep_alive`).
    """

    head_seconds: ClassVar[float] = 10.0
    """From the connection, or the first byte of a later request, to the head's end."""
    body_seconds: ClassVar[float] = 15.0
    """From the head's end to the body's, whether anybody reads it or not. The gateway is stricter."""
    write_seconds: ClassVar[float] = 15.0
    """How long a peer may leave what we sent lying, once its buffers are full."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  # uvicorn's to know
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._in_head = True
        self._arrival: asyncio.TimerHandle | None = None
        self._departure: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect a first head; where too many connections are open already, take none."""
        super().connection_made(transport)
        self._expect_head()
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            self._refuse(_TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._arrived()
        self._departed()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and close the connection when a head outgrows its bound."""
        if self._arrival is None and (self.cycle is None or self.cycle.response_complete):
            # Whatever it is, and be it an empty line, which the parser skips: uvicorn's timer has just been stopped.
            self._expect_head()
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES or len(self.headers or ()) > MAX_HEADERS:
                self._refuse(_TOO_LARGE)

    def pause_writing(self) -> None:
        """Give the peer its time to take what lies ready."""
        super().pause_writing()
        self._departure = self.loop.call_later(self.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Write on."""
        self._departed()
        super().resume_writing()

    def on_message_begin(self) -> None:
        """Expect the rest of a head that began."""
        super().on_message_begin()
        self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        """Let the request begin, and expect its body."""
        self._arrived()
        self._arrival = self.loop.call_later(self.body_seconds, self._body_is_late)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Let the request end."""
        self._arrived()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what could not be parsed, or was refused by us while it was parsed."""
        if len(self.headers or ()) > MAX_HEADERS:
            self._refuse(_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _expect_head(self) -> None:
        self._arrived()
        self._in_head, self._head_bytes = True, 0
        self._arrival = self.loop.call_later(self.head_seconds, self.transport.close)

    def _body_is_late(self) -> None:
        """End the connection; say why where no answer was begun that this could fall into."""
        if self.pipeline or self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(_TOO_SLOW)

    def _arrived(self) -> None:
        self._in_head = False
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _departed(self) -> None:
        if self._departure is not None:
            self._departure.cancel()
            self._departure = None

    def _refuse(self, answer: bytes) -> None:
        self._arrived()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()
