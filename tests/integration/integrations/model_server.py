"""A model server on loopback that speaks OpenAI's API: chat completions, responses, embeddings, streams and errors.

A model named `fails-401` (or any other status) answers with that status. As a program, it prints its base URL and
serves until its standard input is closed: `python -m tests.integration.integrations.model_server`.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.integration.integrations import model_answers
from tests.integration.integrations.model_answers import Body

_CODES = {
    400: "invalid_request_error",
    401: "invalid_api_key",
    404: "model_not_found",
    429: "rate_limit_exceeded",
    500: "server_error",
}


@dataclass(slots=True)
class ModelServer:
    """Where it listens (`url` ends in /v1), and what it was asked: (path, body) of each request, in order."""

    url: str
    requests: list[tuple[str, Body]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model_server: ModelServer

    def do_POST(self) -> None:  # the name http.server calls
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.model_server.requests.append((self.path, body))
        status = str(body.get("model", "")).removeprefix("fails-")
        if status.isdecimal():
            self._refuse(int(status))
            return
        streamed = bool(body.get("stream"))
        match self.path:
            case "/v1/chat/completions" if streamed:
                self._stream(model_answers.chat_chunks(body), named=False)
            case "/v1/chat/completions":
                self._answer(200, model_answers.chat_completion(body))
            case "/v1/responses" if streamed:
                self._stream(model_answers.response_events(body), named=True)
            case "/v1/responses":
                self._answer(200, model_answers.response(body))
            case "/v1/embeddings":
                self._answer(200, model_answers.embeddings(body))
            case _:
                self._refuse(404)

    def _refuse(self, status: int) -> None:
        code = _CODES.get(status, "error")
        self._answer(
            status, {"error": {"message": f"refused with {status}", "type": code, "param": None, "code": code}}
        )

    def _answer(self, status: int, body: Body) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-request-id", "req_1")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events: Iterable[Body], *, named: bool) -> None:
        """Send server-sent events, each an HTTP chunk of its own."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            name = f"event: {event['type']}\n" if named else ""
            self._chunk(f"{name}data: {json.dumps(event)}\n\n".encode())
        if not named:
            self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401  # as http.server declares it
        """Say nothing: tests look at `requests`."""


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Serve on a free port of loopback for the length of a block."""
    handler = type("_BoundHandler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        serving = ModelServer(f"http://127.0.0.1:{server.server_address[1]}/v1")
        handler.model_server = serving  # type: ignore[attr-defined]  # the type was made just now
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield serving
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    with model_server() as started:
        print(started.url, flush=True)  # noqa: T201  # the caller reads it
        sys.stdin.read()
