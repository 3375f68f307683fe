"""Processes by number and birth, so that a recycled number is never taken for ours."""

from __future__ import annotations

import os
import signal

import psutil
from pydantic import BaseModel, ConfigDict

# The birth is computed from the boot time, which moves a little when the clock is set right; the system does not
# give the same number twice within so short a time.
_SAME_BIRTH_SECONDS = 2.0


class ProcessIdentity(BaseModel):
    """A process that cannot be confused with a later one of the same number.

    Args:
        pid: process id.
        born_at: seconds since the epoch.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    born_at: float

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """Identify a process; None when it is gone."""
        try:
            return cls(pid=pid, born_at=psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def is_alive(self) -> bool:
        """Tell whether this very process still runs; a zombie does not."""
        return self._status() not in {None, psutil.STATUS_ZOMBIE}

    def is_listed(self) -> bool:
        """Tell whether this very process is in the process table, if only as a zombie that nobody reaped yet."""
        return self._status() is not None

    def _status(self) -> str | None:
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.born_at) >= _SAME_BIRTH_SECONDS:
                return None
            return str(process.status())
        except psutil.NoSuchProcess:
            return None

    def send(self, number: signal.Signals) -> None:
        """Signal this very process; nothing happens when it is gone."""
        if self.is_alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return
