"""A proxy on loopback between a part and its server: it delays, cuts, refuses, swallows or loses an answer."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

_CHUNK = 64 * 1024
_COMMIT = b"COMMIT\x00"
"""As psycopg sends it: the end of a query, or of a statement to be parsed."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that closes with a reset."""


@dataclass(eq=False)
class _Link:
    """One client's connection through the proxy."""

    client: socket.socket
    server: socket.socket
    holds_answers: threading.Event = field(default_factory=threading.Event)

    def cut(self) -> None:
        """End both sides at once."""
        for side in (self.client, self.server):
            with suppress(OSError):
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                side.close()


class Proxy:
    """Forwards TCP connections to a server until told otherwise.

    Args:
        host: of the server.
        port: of the server.
        listen_port: where to listen; 0 for any free port.
    """

    def __init__(self, host: str, port: int, listen_port: int = 0) -> None:
        self._target = host, port
        self._listener = socket.create_server(("127.0.0.1", listen_port))
        self._links: set[_Link] = set()
        self._lock = threading.Lock()
        self._closing = False
        self._refusing = threading.Event()
        self._swallowing = threading.Event()
        self._losing_commits = threading.Event()
        self.commit_lost = threading.Event()
        """Set when the server has answered a COMMIT whose answer was kept back."""
        self.delay_seconds = 0.0
        """Each chunk, either way, waits for so long."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Cut all connections and accept none for the length of a block."""
        self._refusing.set()
        self.cut()
        try:
            yield
        finally:
            self._refusing.clear()

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        """Drop what the server says for the length of a block, then cut: what was answered is never heard."""
        self._swallowing.set()
        try:
            yield
        finally:
            self.cut()
            self._swallowing.clear()

    @contextmanager
    def losing_commits(self) -> Iterator[None]:
        """Hand on each COMMIT, and keep back every answer from then on, for the length of a block; then cut."""
        self.commit_lost.clear()
        self._losing_commits.set()
        try:
            yield
        finally:
            self._losing_commits.clear()
            self.cut()

    def hold(self) -> None:
        """Keep back what the server says on the connections that stand, for good; new ones are served."""
        with self._lock:
            for link in self._links:
                link.holds_answers.set()

    def cut(self) -> None:
        """End every connection with a reset."""
        with self._lock:
            links, self._links = self._links, set()
        for link in links:
            link.cut()

    def close(self) -> None:
        """Stop listening and end everything."""
        self._closing = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._link(client)

    def _link(self, client: socket.socket) -> None:
        if self._refusing.is_set():
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()
            return
        try:
            server = socket.create_connection(self._target, timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(client, server)
        with self._lock:
            self._links.add(link)
        for pump in (self._to_server, self._to_client):
            threading.Thread(target=pump, args=(link,), daemon=True).start()

    def _to_server(self, link: _Link) -> None:
        try:
            while chunk := link.client.recv(_CHUNK):
                self._wait()
                if self._losing_commits.is_set() and _COMMIT in chunk:
                    link.holds_answers.set()
                link.server.sendall(chunk)
        except OSError:
            pass
        self._drop(link)

    def _to_client(self, link: _Link) -> None:
        try:
            while chunk := link.server.recv(_CHUNK):
                self._wait()
                if link.holds_answers.is_set():
                    self.commit_lost.set()
                elif not self._swallowing.is_set():
                    link.client.sendall(chunk)
        except OSError:
            pass
        self._drop(link)

    def _wait(self) -> None:
        if self.delay_seconds:
            time.sleep(self.delay_seconds)

    def _drop(self, link: _Link) -> None:
        with self._lock:
            self._links.discard(link)
        link.cut()
