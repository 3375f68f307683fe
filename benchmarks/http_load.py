"""A client for the gateway that costs little itself: a few kept connections, one request under way on each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchmarks.errors import EndedError


@dataclass(slots=True)
class Told:
    """What the gateway answered.

    Args:
        seconds: how long each answer took, from when its request was due.
        statuses: {HTTP status: count}.
        elapsed_seconds: from the first request to the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed_seconds: float = 0.0


def request_of(url: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Write one POST."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def post_all(url: str, requests: list[bytes], connections: int, per_second: float | None = None) -> Told:
    """Send requests over so many connections.

    Args:
        url: where to.
        requests: what, in order.
        connections: how many are open at once.
        per_second: a steady pace, or None for as fast as answers come. At a pace, an answer's time counts from when its
            request was due, so that a stall is not hidden by what it held back.

    Raises:
        EndedError: a connection was closed before its answer.
    """
    told, work, began = Told(), iter(enumerate(requests)), time.perf_counter()
    await asyncio.gather(*(_serve(url, work, told, began, per_second) for _ in range(connections)))
    told.elapsed_seconds = time.perf_counter() - began
    return told


async def _serve(
    url: str, work: Iterator[tuple[int, bytes]], told: Told, began: float, per_second: float | None
) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        for number, request in work:
            due = time.perf_counter() if per_second is None else began + number / per_second
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            writer.write(request)
            status = await _status(reader)
            told.seconds.append(time.perf_counter() - due)
            told.statuses[status] = told.statuses.get(status, 0) + 1
    finally:
        writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise EndedError("the gateway closed a connection") from error
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    await reader.readexactly(length)
    return int(head[9:12])
