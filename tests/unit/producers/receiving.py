"""A real HTTP server that answers as it is told, and remembers what it was sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    results: list[int] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Requested:
    """One request."""

    path: str
    headers: dict[str, str]
    events: list[dict[str, Any]]


class Gateway:
    """Takes every event, unless `answer` says otherwise.

    Args:
        answer: from the request and the number of requests before it to the answer; None to take everything.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Requested] = []
        self.answer: Callable[[Requested, int], Reply | None] = lambda _request, _number: None

    @property
    def event_ids(self) -> list[str]:
        """Ids of all events that came, in order, repeats too."""
        return [event["id"] for request in self.requests for event in request.events]

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events that came."""
        return [event for request in self.requests for event in request.events]

    def reply_to(self, request: Requested) -> Reply:
        """Answer a request and remember it."""
        reply = self.answer(request, len(self.requests))
        self.requests.append(request)
        return Reply(200, [200] * len(request.events)) if reply is None else reply


@contextmanager
def gateway(port: int = 0) -> Iterator[Gateway]:
    """Serve for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = served.reply_to(Requested(self.path, dict(self.headers.items()), orjson.loads(body)))
            content = (
                b"{}"
                if reply.results is None
                else orjson.dumps({"results": [{"status": status} for status in reply.results]})
            )
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # its name there
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    served = Gateway(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
