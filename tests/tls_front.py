"""TLS in front of a Postgres server: the embedded one is built without it.

It speaks the protocol's own way into TLS ("SSL Session Encryption" in PostgreSQL's documentation of its protocol), and
keeps count of who would have spoken in plain text.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import TypeAlias

from tests.certificates import Pair

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
_LOOK_SECONDS = 0.1
_CHUNK = 65536
Connection: TypeAlias = socket.socket


class TlsFront:
    """Accepts connections, takes the TLS off and hands on the rest.

    Args:
        server: (host, port) of the server behind.
        pair: certificate and key to show.
    """

    def __init__(self, server: tuple[str, int], pair: Pair) -> None:
        self.server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_LOOK_SECONDS)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.encrypted = 0
        self.in_plain_text = 0
        self.show(pair)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def show(self, pair: Pair) -> None:
        """Show this certificate to connections from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._context = context

    def close(self) -> None:
        """End every connection."""
        self._stopping.set()
        for thread in (self._accepting, *self._threads):
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: Connection) -> None:
        with closing(client), suppress(OSError):
            client.settimeout(5)
            if client.recv(len(_SSL_REQUEST)) != _SSL_REQUEST:
                self.in_plain_text += 1
                return
            client.sendall(b"S")
            with self._context.wrap_socket(client, server_side=True) as inside:
                self.encrypted += 1
                with socket.create_connection(self.server) as server:
                    self._relay(inside, server)

    def _relay(self, client: ssl.SSLSocket, server: Connection) -> None:
        while not self._stopping.is_set():
            # What TLS has decrypted already, select does not see.
            ready = [client] if client.pending() else select.select([client, server], [], [], _LOOK_SECONDS)[0]
            for source, target in ((client, server), (server, client)):
                if source in ready:
                    block = source.recv(_CHUNK)
                    if not block:
                        return
                    target.sendall(block)


@contextmanager
def tls_front(server: tuple[str, int], pair: Pair) -> Iterator[TlsFront]:
    """Run one for the length of the block."""
    front = TlsFront(server, pair)
    try:
        yield front
    finally:
        front.close()
