"""End processes that a supervisor no longer looks after."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

from runledger.stack.errors import StopError
from runledger.stack.identity import ProcessIdentity

_LOOK_SECONDS = 0.1
_KILL_SECONDS = 10.0
_REAP_SECONDS = 3.0


def end_processes(processes: Iterable[ProcessIdentity], patience_seconds: float) -> None:
    """Ask those that are alive to end, wait, then kill them with their process groups.

    Raises:
        StopError: one is there even after a kill.
    """
    ours = list(processes)
    alive = [process for process in ours if process.is_alive()]
    for process in alive:
        process.send(signal.SIGTERM)
    alive = _still_alive(alive, patience_seconds)
    for process in alive:
        # Each of ours leads a group of its own.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if alive := _still_alive(alive, _KILL_SECONDS):
        numbers = ", ".join(str(process.pid) for process in alive)
        raise StopError(f"processes {numbers} are still there after a kill; they wait for the disk or belong to others")
    _wait_until_reaped(ours)


def _wait_until_reaped(processes: list[ProcessIdentity]) -> None:
    # They are ended; who looks at the process table next shall not see them. Some init processes take a second.
    deadline = time.monotonic() + _REAP_SECONDS
    while any(process.is_listed() for process in processes) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _still_alive(processes: list[ProcessIdentity], seconds: float) -> list[ProcessIdentity]:
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if process.is_alive()]) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return alive
