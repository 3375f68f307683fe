"""Who is logged in. A browser holds a random number; all else stays in this process and ends with it."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from runledger.access.keys import ApiKey, Principal

_ID_BYTES = 32
_MOST_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who logged in.

    Args:
        principal: on whose behalf, as it was then.
        key: by which; asked again at each request, so that a revoked key ends its sessions. None for a link's.
    """

    principal: Principal
    key: ApiKey | None = field(repr=False)


class Sessions:
    """The living sessions by a hash of their number: who reads our memory cannot take one over by it.

    Args:
        seconds: how long a session lasts.
        most: beyond so many the oldest ends.
        clock: seconds, only growing.
    """

    def __init__(self, seconds: float, most: int = _MOST_SESSIONS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._living: OrderedDict[bytes, tuple[float, Session]] = OrderedDict()

    def open(self, session: Session) -> str:
        """Begin a session; return its number, for the cookie alone."""
        number = secrets.token_urlsafe(_ID_BYTES)
        self._living[_digest(number)] = (self._clock() + self._seconds, session)
        while len(self._living) > self._most:
            self._living.popitem(last=False)
        return number

    def find(self, number: str | None) -> Session | None:
        """Find a session; None where it has ended or never was."""
        if not number:
            return None
        digest = _digest(number)
        found = self._living.get(digest)
        if found is None:
            return None
        if self._clock() >= found[0]:
            del self._living[digest]
            return None
        return found[1]

    def close(self, number: str | None) -> None:
        """End a session, if there is one."""
        if number:
            self._living.pop(_digest(number), None)


def _digest(number: str) -> bytes:
    return hashlib.sha256(number.encode(errors="replace")).digest()
