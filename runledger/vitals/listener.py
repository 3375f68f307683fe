"""The little HTTP server on which a worker tells how it does: /healthz and /metrics, nothing else."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_CONNECTIONS = 16
_READ_SECONDS = 5.0
_LEAVE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers."""

    body: bytes
    content_type: str
    status: HTTPStatus = HTTPStatus.OK


class ListenError(Exception):
    """The address of the metrics cannot be listened on."""


class Listener:
    """Answers GET on a few paths, each request in a thread of its own, none of which keeps the process alive.

    Whoever is slow is cut off when others come: of more than `MAX_CONNECTIONS` the oldest goes.

    Args:
        host: address to listen on.
        port: 0 for any free one.
        paths: {path: gives its answer}; called from any thread.

    Raises:
        ListenError: it cannot listen there.
    """

    def __init__(self, host: str, port: int, paths: Mapping[str, Callable[[], Answer]]) -> None:
        try:
            self._server = _Server(host, port, paths)
        except (OSError, OverflowError) as error:
            why = f"RUNLEDGER_METRICS_HOST and RUNLEDGER_METRICS_PORT: cannot listen on {host} port {port}: {error}"
            raise ListenError(f"{why}; choose another, each process needs its own") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LEAVE_SECONDS,), name="metrics", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.server_address[1]
        return port

    def close(self) -> None:
        """Stop listening; answers under way are not waited for."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, paths: Mapping[str, Callable[[], Answer]]) -> None:
        self.paths = paths
        self._open: dict[Any, None] = {}
        """Connections, the oldest first."""
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking DNS for our own name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as the base has it
        """Take a connection, and let the oldest go where there are too many."""
        with self._lock:
            self._open[request] = None
            oldest = next(iter(self._open)) if len(self._open) > MAX_CONNECTIONS else None
        if oldest is not None:
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  # as the base has it
        """Forget a connection and close it."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as the base has it
        """Say nothing: a client that went away is no news, and the base would print it past our log."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _READ_SECONDS
    server: _Server

    def do_GET(self) -> None:  # the base looks for this name
        """Answer, body and all."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:  # the base looks for this name
        """Answer without the body."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        give = self.server.paths.get(self.path.partition("?")[0])
        answer = Answer(b"", "text/plain", HTTPStatus.NOT_FOUND) if give is None else give()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        """Name no versions."""
        return "runledger"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401  # as the base has it
        """Log nothing: somebody asks every few seconds."""
