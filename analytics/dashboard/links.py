"""Links that log a browser in once, for whoever started the stack: a key would stay in the browser's history."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

LINK_SECONDS = 600
PATH = "/login/link"
_PROJECT = "default"


def make_link(url: str, secret: str, now: float) -> str:
    """Make a link that works once, for ten minutes.

    Args:
        url: of the dashboard, without a slash at its end.
        secret: known to the dashboard, too.
        now: seconds since the epoch.
    """
    said = f"{int(now) + LINK_SECONDS}.{secrets.token_urlsafe(16)}"
    return f"{url}{PATH}?token={said}.{_sign(said, secret)}"


class Links:
    """Judges links, and remembers which were used.

    Args:
        secret: with which they are made.
        clock: seconds since the epoch.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._clock = clock
        self._used: dict[str, int] = {}

    def use(self, token: str) -> str | None:
        """Use a link's token up; return the project it opens, None where it opens nothing (any more)."""
        said, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), _sign(said, self._secret).encode()):
            return None
        ends_at, now = int(said.partition(".")[0]), self._clock()
        self._used = {used: until for used, until in self._used.items() if until > now}
        if ends_at <= now or said in self._used:
            return None
        self._used[said] = ends_at
        return _PROJECT


def _sign(said: str, secret: str) -> str:
    return hmac.new(secret.encode(), said.encode(errors="replace"), hashlib.sha256).hexdigest()
