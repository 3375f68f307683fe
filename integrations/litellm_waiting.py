"""Calls that LiteLLM has begun and not told of yet. Pure: nothing here imports LiteLLM."""

from __future__ import annotations

import threading
from typing import Final

_MOST: Final = 10_000
"""Calls that are remembered: streams nobody reads to their end never leave, and must not fill the memory."""


class BegunCalls:
    """What is waited for. Safe to share between threads.

    A call that is tried again keeps its id. Of its failures LiteLLM tells the first alone, so that an attempt after a
    told failure is told of if it succeeds, and never if it fails.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: dict[str, None] = {}
        self._again: dict[str, None] = {}
        self._failed: dict[str, None] = {}

    def begin(self, call_id: str) -> None:
        """Note that a call, or another attempt at it, has begun."""
        with self._lock:
            _keep(self._again if call_id in self._failed else self._first, call_id)

    def tell(self, call_id: str, *, failed: bool) -> None:
        """Note that LiteLLM told of a call."""
        with self._lock:
            self._first.pop(call_id, None)
            self._again.pop(call_id, None)
            if failed:
                _keep(self._failed, call_id)

    def forget(self) -> None:
        """Wait no more for any that has begun."""
        with self._lock:
            self._first.clear()
            self._again.clear()

    def any_first(self) -> bool:
        """Tell whether calls are untold that LiteLLM is to tell of, unless they are left before their end."""
        return bool(self._first)

    def any_again(self) -> bool:
        """Tell whether further attempts are untold, of which LiteLLM tells only what succeeds."""
        return bool(self._again)


def _keep(calls: dict[str, None], call_id: str) -> None:
    calls[call_id] = None
    if len(calls) > _MOST:
        del calls[next(iter(calls))]
