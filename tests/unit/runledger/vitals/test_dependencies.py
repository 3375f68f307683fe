from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runledger.vitals import DatabaseView

SECONDS = 10


@contextmanager
def listening(heard: list[bytes]) -> Iterator[int]:
    """A server that takes one client's first message, and goes away."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)

        def take() -> None:
            client, _ = server.accept()
            with client:
                client.settimeout(SECONDS)
                (length,) = struct.unpack(">i", client.recv(4, socket.MSG_WAITALL))
                heard.append(client.recv(length - 4, socket.MSG_WAITALL))

        taking = threading.Thread(target=take)
        taking.start()
        yield server.getsockname()[1]
        taking.join(SECONDS)


def test_a_session_begins_with_no_settings_of_ours() -> None:
    """A pooler refuses sessions with settings that it does not know, and the database behind it would seem away."""
    heard: list[bytes] = []
    with listening(heard) as port:
        uri = f"postgresql://someone@127.0.0.1:{port}/ledger?sslmode=disable&gssencmode=disable"
        absence = DatabaseView(uri).absence()
    assert absence == "Postgres does not answer: OperationalError"
    names = heard[0][4:].split(b"\0")[::2]
    assert b"user" in names
    assert b"options" not in names
