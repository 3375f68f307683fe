"""Says once that something went away, and once that it is back; paces the attempts between."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from runledger.vitals import Watched, watch

_log = structlog.get_logger()
_FIRST_PAUSE_SECONDS = 0.5


class Availability(Watched):
    """Whether broker or database answer.

    Args:
        what: whose questions these are, for the log.
        limit_seconds: longest pause.
    """

    def __init__(self, what: str, limit_seconds: float) -> None:
        self._what = what
        self._limit_seconds = limit_seconds
        self._reason: str | None = None
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        watch(self)

    def troubles(self) -> Mapping[str, str]:
        """Tell that it waits."""
        reason = self._reason
        return {} if reason is None else {f"{self._what}_waiting": f"no answer: {reason}"}

    def lost(self, reason: str) -> float:
        """Note that it does not answer; return how many seconds to wait before the next attempt."""
        if self._reason is None:
            _log.warning("away", what=self._what, reason=reason)
        self._reason = reason
        pause_seconds = min(self._pause_seconds, self._limit_seconds)
        self._pause_seconds = 2 * pause_seconds
        return pause_seconds

    def answered(self) -> None:
        """Note that it answers."""
        if self._reason is not None:
            _log.info("back", what=self._what)
        self._reason, self._pause_seconds = None, _FIRST_PAUSE_SECONDS
