"""Who looks at the dashboard in a test: somebody signed in, and somebody who opens pages and reads none of them."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Generator, Iterator, Sequence
from html import unescape
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import orjson
import requests

from runledger.analytics.dashboard.app import create_app
from runledger.analytics.dashboard.settings import DashboardSettings
from runledger.backstage.settings import BackstageSettings
from runledger.backstage.stage import Stage

SMALL_BUFFER_BYTES = 4096
ANSWER_SECONDS = 20
_NEXT = re.compile(r'<a\b(?=[^>]*\brel="next")[^>]*\bhref="([^"]+)"')


def pages() -> list[str]:
    """Every address that a browser may get, as the application has them; the stream and the doors are none."""
    away = {"kafka": "127.0.0.1:1", "postgres": "postgresql://127.0.0.1:1/none"}
    app = create_app(DashboardSettings(**away), Stage(BackstageSettings(**away)))  # type: ignore[arg-type]  # all are text
    got = {path for path, methods in app.openapi()["paths"].items() if "get" in methods}
    return sorted(got - {"/live", "/healthz", "/login", "/login/link"})


def next_address(text: str) -> str | None:
    """Find where a list goes on; None where it ends."""
    found = _NEXT.search(text)
    return None if found is None else unescape(found[1])


class Onlooker:
    """A browser that is signed in by a key.

    Args:
        url: of the dashboard.
        key: of the project that is looked at.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.headers["Origin"] = url
        assert self.send("/login", key=key).status_code == 200

    def send(self, path: str, **form: str) -> requests.Response:
        """Send a form; where it leads is not followed."""
        return self._session.post(self.url + path, data=form, timeout=ANSWER_SECONDS, allow_redirects=False)

    def open(self, path: str, **asked: object) -> requests.Response:
        """Open a page."""
        return self._session.get(
            self.url + path, params={name: str(value) for name, value in asked.items()}, timeout=ANSWER_SECONDS
        )

    def walk(self, path: str, **asked: object) -> Iterator[str]:
        """Open a list, and follow it to its end; give each page's text."""
        while True:
            page = self.open(path, **asked)
            assert page.status_code == 200, page.text
            yield page.text
            if (following := next_address(page.text)) is None:
                return
            path, asked = following, {}

    def versions(self) -> Generator[int]:
        """Listen as an open page does; give the version that each notice tells."""
        with self._session.get(f"{self.url}/live", stream=True, timeout=ANSWER_SECONDS) as stream:
            assert stream.status_code == 200, stream.text
            for line in stream.iter_lines(chunk_size=1):
                if line.startswith(b"data: "):
                    yield int(orjson.loads(line.removeprefix(b"data: "))["version"])

    def cookies(self) -> str:
        """The header by which a connection of one's own is signed in, too."""
        return "Cookie: " + "; ".join(f"{name}={value}" for name, value in self._session.cookies.items())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()


def ask_and_not_read(url: str, path: str, *headers: str, times: int = 1) -> socket.socket:
    """Ask for a path, so many times at once, with hardly any room for the answers; none of them is read."""
    address = urlsplit(url)
    client = socket.socket()
    # Before it connects: the room for what comes is settled then.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    client.settimeout(ANSWER_SECONDS)
    client.connect((str(address.hostname), int(address.port or 0)))
    head = "\r\n".join((f"GET {path} HTTP/1.1", f"Host: {address.netloc}", *headers, "", ""))
    client.sendall(head.encode() * times)
    return client


def read_head(client: socket.socket) -> str:
    """Read an answer's head, and not a byte more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        assert byte, head
        head += byte
    return head.decode()


def read_until(clients: Sequence[socket.socket], word: str, seconds: float) -> list[int]:
    """Read at last what lay there, until the word comes; tell how many bytes it took each.

    Raises:
        AssertionError: a connection has ended, or the word does not come in time.
    """
    deadline, taken = time.monotonic() + seconds, []
    for client in clients:
        said = b""
        while word.encode() not in said:
            assert time.monotonic() < deadline, said[-200:]
            part = client.recv(SMALL_BUFFER_BYTES)
            assert part, "the connection has ended"
            said += part
        taken.append(len(said))
    return taken
