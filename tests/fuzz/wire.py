"""Requests as bytes on a socket, and what a listener of ours answers."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import h11
import orjson
import uvicorn
from hypothesis import strategies as st
from starlette.applications import Starlette

from runledger.access.http.server import config_of
from tests.fuzz.nasty import PIECES, TEXTS, chosen
from tests.fuzz.running import FindingError

Address: TypeAlias = tuple[str, int]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
_NOT_YET_SECONDS = 0.03
"""How long to wait for an answer to a request that is not whole: there may be one already, and may be none."""
_PATIENCE_SECONDS = 20.0
_START_SECONDS = 30.0
_BOMB = gzip.compress(b"\0" * 30_000_000)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, well framed or not."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    framing: str = "length"
    edits: tuple[tuple[float, int, bytes], ...] = ()

    def wire(self) -> bytes:
        """Its bytes."""
        headers = [*self.headers, *self._frame()]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        whole = self.method + b" " + self.target + b" HTTP/1.1\r\n" + head + b"\r\n" + self._framed()
        for place, cut, piece in self.edits:
            at = int(place * min(len(whole), 600))
            whole = whole[:at] + piece + whole[at + cut :]
        return whole

    def _frame(self) -> list[tuple[bytes, bytes]]:
        size, chunked = len(self.body), (b"Transfer-Encoding", b"chunked")
        frames: dict[str, list[tuple[bytes, bytes]]] = {
            "length": [(b"Content-Length", b"%d" % size)] if size or self.method == b"POST" else [],
            "chunked": [chunked],
            "more": [(b"Content-Length", b"%d" % (size + 7))],
            "less": [(b"Content-Length", b"%d" % (size // 2))],
            "both": [chunked, (b"Content-Length", b"%d" % size)],
            "odd": [(b"Content-Length", b"-1")],
            "none": [],
        }
        return frames[self.framing]

    def _framed(self) -> bytes:
        if self.framing not in {"chunked", "both"}:
            return self.body
        middle = len(self.body) // 2
        parts = [part for part in (self.body[:middle], self.body[middle:]) if part]
        return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _is_whole(wire: bytes) -> bool:
    """Tell, by another parser than the listener's, whether nothing is missing."""
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=20_000_000)
    try:
        reader.receive_data(wire)
        while True:
            event = reader.next_event()
            if isinstance(event, h11.EndOfMessage):
                return True
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return False
    except h11.RemoteProtocolError:
        return False


def send(address: Address, asked: Asked) -> Answer | None:
    """Send a request; return the answer, None if none is owed and none came."""
    wire = asked.wire()
    whole = _is_whole(wire)
    with socket.create_connection(address, timeout=_PATIENCE_SECONDS) as connection:
        try:
            connection.sendall(wire)
        except OSError:  # answered before all of it was sent, and closed
            whole = False
        connection.settimeout(_PATIENCE_SECONDS if whole else _NOT_YET_SECONDS)
        response = http.client.HTTPResponse(connection, method=asked.method.decode("latin-1"))
        try:
            response.begin()
            connection.settimeout(_PATIENCE_SECONDS)
            return Answer(response.status, dict(response.getheaders()), response.read())
        except TimeoutError:
            if whole:
                raise FindingError(f"no answer within {_PATIENCE_SECONDS} s") from None
            return None
        except (http.client.HTTPException, OSError):  # closed without a word
            return None
        finally:
            response.close()


def check_answer(answer: Answer, allowed: frozenset[int]) -> None:
    """See that an answer is one of those that are documented."""
    if answer.status not in allowed:
        raise FindingError(f"status {answer.status}: {answer.body[:300]!r}")
    if answer.status == 503 and "retry-after" not in {name.lower() for name in answer.headers}:
        raise FindingError("503 without Retry-After")


def check_error_shape(answer: Answer) -> None:
    """See that an error is told in our own shape."""
    if answer.status >= 400 and answer.headers.get("content-type") == "application/json" and answer.body:
        error = orjson.loads(answer.body)["error"]
        assert isinstance(error["code"], str)
        assert isinstance(error["message"], str)


@contextmanager
def listening(app: Starlette) -> Iterator[Address]:
    """Serve an application as our workers do, in a thread of this process."""
    server = uvicorn.Server(config_of(app, "127.0.0.1", 0))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        assert thread.is_alive(), "it could not start"
        assert time.monotonic() < deadline, "it does not start"
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    try:
        yield host, port
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)


HEADER_TEXTS = st.one_of(
    TEXTS.map(lambda text: text.encode(errors="surrogatepass")[:300]),
    st.binary(max_size=30),
    chosen([b"", b" ", b"a\r\nX-Injected: 1", b"a\nb", b"\x00", b"\xff\xfe", b"x" * 9000, b",", b"*/*", b"null"]),
)
_NAMES = st.one_of(
    chosen(
        [
            *(b"Origin", b"Host", b"Cookie", b"X-Forwarded-For", b"X-HTTP-Method-Override", b"Expect", b"Upgrade"),
            *(b"Connection", b"Content-Type", b"Content-Encoding", b"Content-Length", b"Transfer-Encoding", b"Accept"),
            *(
                b"ce-id",
                b"ce-type",
                b"Idempotency-Key",
                b"Authorization",
                b"Mcp-Session-Id",
                b"",
                b" x",
                b"x y",
                b"\xff",
            ),
        ]
    ),
    st.binary(min_size=1, max_size=12),
)
STRANGE_HEADERS = st.lists(st.tuples(_NAMES, HEADER_TEXTS), max_size=3)
FRAMINGS = chosen(["chunked", "none", "more", "less", "both", "odd"])
EDITS = st.tuples(st.tuples(st.floats(0, 1), st.integers(0, 9), PIECES))
METHODS = chosen(
    [b"GET", b"HEAD", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"CONNECT", b"post", b"PRI", b"\xff"]
)
SUFFIXES = st.one_of(
    chosen(
        [
            *(
                b"%0a",
                b"%00",
                b"/",
                b"//",
                b"%2f",
                b"/..",
                b"/%2e%2e/",
                b"?x=1",
                b"?",
                b"#",
                b";a",
                b"%",
                b"%zz",
                b"%ff",
            ),
            *(b"?" + b"a=1&" * 2000, b"/" * 5000, b" ", b"\xc3\xa9", b"%c3%a9", b"%ed%a0%80", b"*", b":80", b"?a[]=1"),
        ]
    ),
    HEADER_TEXTS,
)


def packed(body: bytes, how: str) -> tuple[bytes, bytes | None]:
    """Compress a body in one of many ways: (bytes, value of Content-Encoding)."""
    ways: dict[str, Callable[[], tuple[bytes, bytes | None]]] = {
        "gzip": lambda: (gzip.compress(body), b"gzip"),
        "x-gzip": lambda: (gzip.compress(body), b"X-GZIP"),
        "deflate": lambda: (zlib.compress(body), b"deflate"),
        "raw": lambda: (zlib.compress(body)[2:-4], b"deflate"),
        "cut": lambda: (gzip.compress(body)[:-5], b"gzip"),
        "members": lambda: (gzip.compress(body[:9]) + gzip.compress(body[9:]), b"gzip"),
        "bomb": lambda: (_BOMB, b"gzip"),
        "not": lambda: (body, b"gzip"),
        "twice": lambda: (gzip.compress(gzip.compress(body)), b"gzip, gzip"),
        "unknown": lambda: (body, b"br"),
        "large": lambda: (body + b" " * 1_048_577, None),
    }
    return ways[how]() if how in ways else (body, None)


PACKINGS = chosen(["gzip", "x-gzip", "deflate", "raw", "cut", "members", "bomb", "not", "twice", "unknown", "large"])
