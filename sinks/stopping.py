"""A polite end: SIGTERM and SIGINT ask, the loop answers."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from runledger.vitals import told_to_end


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM or SIGINT sets; only the main thread may call this."""
    stopping = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        told_to_end()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stopping
