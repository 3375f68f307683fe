"""The proxy does to a connection what is asked of it, and otherwise nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.faults.proxy import Proxy

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
PATIENCE_SECONDS = 10
QUIET_SECONDS = 0.2


class Echo:
    """A server that says again what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._answer, args=(self._listener.accept()[0],), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while said := client.recv(1000):
                self.heard += said
                client.sendall(said)

    def close(self) -> None:
        """Accept nobody any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def has_heard(self, said: bytes) -> bool:
        """Wait until it has heard something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while said not in self.heard and time.monotonic() < deadline:
            time.sleep(0.005)
        return said in self.heard


@pytest.fixture
def server() -> Iterator[Echo]:
    """A server."""
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def proxy(server: Echo) -> Iterator[Proxy]:
    """A proxy in front of it."""
    with Proxy("127.0.0.1", server.port) as made:
        yield made


@contextmanager
def client(proxy: Proxy) -> Iterator[socket.socket]:
    """Connect through the proxy."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_SECONDS) as made:
        yield made


def says(one: socket.socket, said: bytes) -> bytes:
    """Say something and return the answer; nothing where the connection ends."""
    try:
        one.sendall(said)
        return one.recv(1000)
    except ConnectionError:
        return b""


def is_silent(one: socket.socket) -> bool:
    """Whether there is no answer for a moment."""
    one.settimeout(QUIET_SECONDS)
    try:
        one.recv(1000)
    except TimeoutError:
        return True
    except ConnectionError:
        return False
    finally:
        one.settimeout(PATIENCE_SECONDS)
    return False


def test_what_is_said_and_answered_goes_through(proxy: Proxy) -> None:
    with client(proxy) as one, client(proxy) as other:
        assert says(one, b"hello") == b"hello"
        assert says(other, b"there") == b"there"
        assert says(one, COMMIT) == COMMIT


def test_a_cut_ends_the_connections_that_stand_and_no_later_one(proxy: Proxy) -> None:
    with client(proxy) as one:
        assert says(one, b"hello") == b"hello"
        proxy.cut()
        assert says(one, b"hello") == b""
    with client(proxy) as another:
        assert says(another, b"hello") == b"hello"


def test_while_refusing_nobody_comes_in_and_all_are_cut(proxy: Proxy) -> None:
    with client(proxy) as one:
        assert says(one, b"hello") == b"hello"
        with proxy.refusing():
            assert says(one, b"hello") == b""
            with suppress(ConnectionError), client(proxy) as other:
                assert says(other, b"hello") == b""
    with client(proxy) as another:
        assert says(another, b"hello") == b"hello"


def test_while_swallowing_the_server_hears_and_its_answer_is_lost(proxy: Proxy, server: Echo) -> None:
    with client(proxy) as one:
        with proxy.swallowing():
            one.sendall(b"hello")
            assert server.has_heard(b"hello")
            assert is_silent(one)
        assert says(one, b"again") == b""


def test_a_commit_reaches_the_server_and_its_answer_is_lost_for_good(proxy: Proxy, server: Echo) -> None:
    with client(proxy) as one:
        with proxy.losing_commits():
            assert says(one, b"INSERT") == b"INSERT"
            assert not proxy.commit_lost.is_set()
            one.sendall(COMMIT)
            assert server.has_heard(COMMIT)
            assert proxy.commit_lost.wait(PATIENCE_SECONDS)
            assert is_silent(one)
        assert says(one, b"again") == b""


def test_a_commit_of_another_block_is_not_remembered(proxy: Proxy) -> None:
    with client(proxy) as one, proxy.losing_commits():
        one.sendall(COMMIT)
        assert proxy.commit_lost.wait(PATIENCE_SECONDS)
    with client(proxy) as another, proxy.losing_commits():
        assert says(another, b"hello") == b"hello"
        assert not proxy.commit_lost.is_set()


def test_connections_held_hear_nothing_and_new_ones_do(proxy: Proxy, server: Echo) -> None:
    with client(proxy) as one:
        assert says(one, b"hello") == b"hello"
        proxy.hold()
        one.sendall(b"held")
        assert server.has_heard(b"held")
        assert is_silent(one)
        with client(proxy) as other:
            assert says(other, b"hello") == b"hello"


def test_a_delay_is_waited_for_both_ways(proxy: Proxy) -> None:
    proxy.delay_seconds = 0.05
    with client(proxy) as one:
        began = time.monotonic()
        assert says(one, b"hello") == b"hello"
        assert time.monotonic() - began >= 0.1


def test_without_a_server_a_connection_is_ended(proxy: Proxy, server: Echo) -> None:
    server.close()
    with suppress(ConnectionError), client(proxy) as one:
        assert says(one, b"hello") == b""


def test_closed_it_accepts_nobody(proxy: Proxy) -> None:
    port = proxy.port
    proxy.close()
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
