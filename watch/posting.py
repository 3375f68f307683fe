"""Post a message: one attempt, bounded in time and size, with an outcome instead of errors."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from runledger.watch.messages import Message, headers

_MOST_BODY_BYTES = 4096
_BODY_SECONDS = 1.0
_REASONS: dict[type[Exception], str] = {
    TimeoutError: "no answer in time",
    aiohttp.ClientSSLError: "TLS failed",
    aiohttp.ClientConnectorDNSError: "the host's name is unknown",
    aiohttp.ClientConnectorError: "could not connect",
    aiohttp.ServerConnectionError: "the connection was lost",
    ConnectionError: "the connection was lost",
}
"""The first that fits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    Args:
        error: None if the receiver has the message; else why not, in words that hold no secret and no answer's body.
        is_final: there is no use in trying again.
    """

    error: str | None = None
    is_final: bool = False


def open_session(timeout_seconds: float) -> aiohttp.ClientSession:
    """Make a session: no proxy, no cookies, a total timeout for each post."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": "runledger-webhook/1"},
    )


async def post(session: aiohttp.ClientSession, url: str, secret: bytes, message: Message) -> Outcome:
    """Post a message once. A 2xx answer means delivered, whatever its body; a redirect is not followed."""
    signed = headers(message, secret, int(time.time()))
    try:
        async with session.post(url, data=message.body, headers=signed, allow_redirects=False) as answer:
            await _read_beginning(answer)
            return _judge(answer.status)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Outcome(_reason(error))


async def _read_beginning(answer: aiohttp.ClientResponse) -> None:
    """Give a short body time to come to its end, so that the connection can be used again; any other is cut off."""
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with asyncio.timeout(_BODY_SECONDS):
            await answer.content.read(_MOST_BODY_BYTES)


def _reason(error: Exception) -> str:
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    # Its own words may quote the address or the answer.
    return f"failed: {type(error).__name__}"


def _judge(status: int) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome()
    return Outcome(f"HTTP {status}", is_final=status == HTTPStatus.GONE)
