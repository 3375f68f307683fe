"""Read a request's body: bounded in size and time, before and after decompression; then its JSON."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request

from runledger.access.http.errors import HttpError, invalid
from runledger.producers.weighing import HEAVY_BYTES

MAX_BODY_BYTES = 1024 * 1024
"""Of one call. An event takes at most 900,000 bytes; escapes and white space may add some."""
MAX_BATCH_BYTES = 8 * 1024 * 1024
BODY_SECONDS = 10.0
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""Content codings of RFC 9110, section 8.4.1, as zlib's wbits."""
_Checked = TypeVar("_Checked")


@dataclass(frozen=True, slots=True)
class Body:
    """A parsed body.

    Args:
        document: the JSON.
        size_bytes: what it took, decompressed.
    """

    document: object
    size_bytes: int

    async def check(self, check: Callable[[object], _Checked]) -> _Checked:
        """Have the document checked; in a thread where it is large, so that other calls go on meanwhile."""
        if self.size_bytes > HEAVY_BYTES:
            return await asyncio.to_thread(check, self.document)
        return check(self.document)


async def read_json(request: Request, max_bytes: int = MAX_BODY_BYTES) -> Body:
    """Read and parse the body.

    Integers keep all their digits and 1e999 becomes infinity, so that the rules refuse them by the field's name.

    Raises:
        HttpError: 400, 408, 413, 415 or 422.
    """
    value = await read_body(request, max_bytes)
    try:
        return Body(from_json(value, allow_inf_nan=False), len(value))
    except ValueError as error:
        raise invalid("body", f"not JSON: {error}") from error


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Read the body and undo its compression.

    Args:
        request: whose.
        max_bytes: the most it may take, before and after decompression.

    Raises:
        HttpError: 400, 408, 413 or 415.
    """
    unpack = _Unpacker(request.headers.get("content-encoding", "identity"), max_bytes)
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    received = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                received += len(chunk)
                if received > max_bytes:
                    raise _too_large(max_bytes)
                unpack.feed(chunk)
    except TimeoutError as error:
        closing = {"Connection": "close"}
        raise HttpError(408, "body_timeout", f"no whole body within {BODY_SECONDS:.0f} s", headers=closing) from error
    except ClientDisconnect as error:
        raise HttpError(400, "bad_body", "the body ended early") from error
    return unpack.finished()


class _Unpacker:
    """Collects the body's chunks, decompressed, up to a bound."""

    def __init__(self, coding: str, max_bytes: int) -> None:
        coding = coding.strip().lower()
        if coding not in {"identity", *_WINDOW_BITS}:
            message = "Content-Encoding must be gzip, deflate or identity"
            headers = {"Accept-Encoding": "gzip, deflate, identity"}
            raise HttpError(415, "unsupported_media_type", message, "Content-Encoding", headers)
        self._inflater = zlib.decompressobj(_WINDOW_BITS[coding]) if coding in _WINDOW_BITS else None
        self._max_bytes = max_bytes
        self._value = bytearray()

    def feed(self, chunk: bytes) -> None:
        if self._inflater is None:
            self._value += chunk
            return
        try:
            # One byte more than allowed is enough to know.
            self._value += self._inflater.decompress(chunk, self._max_bytes + 1 - len(self._value))
        except zlib.error as error:
            raise _broken() from error
        if len(self._value) > self._max_bytes:
            raise _too_large(self._max_bytes)
        if self._inflater.unused_data:
            raise _broken()

    def finished(self) -> bytes:
        if self._inflater is not None and not self._inflater.eof:
            raise _broken()
        return bytes(self._value)


def _too_large(max_bytes: int) -> HttpError:
    return HttpError(413, "too_large", f"the body takes more than {max_bytes} bytes, compressed or not")


def _broken() -> HttpError:
    return HttpError(400, "bad_body", "the body's compression is broken", "Content-Encoding")
