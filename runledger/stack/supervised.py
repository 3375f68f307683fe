"""One supervised process over its lives: started, ended, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from runledger.stack import child
from runledger.stack.backoff import BackOff
from runledger.stack.errors import explained_disk_errors
from runledger.stack.files import rotate
from runledger.stack.identity import ProcessIdentity
from runledger.stack.service import Service
from runledger.stack.state import Health, ServiceState


class Supervised:
    """A service and its present process. Used by the supervisor's main thread; the prober only calls `probe`.

    Args:
        service: what to run.
        logs: folder for its log.
    """

    def __init__(self, service: Service, logs: Path) -> None:
        self.service = service
        self.log = logs / f"{service.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.identity: ProcessIdentity | None = None
        self.restarts = 0
        self.failures = 0
        self.last_exit: int | None = None
        self.due_at: float | None = None
        self._answered: subprocess.Popen[bytes] | None = None
        self._failed: subprocess.Popen[bytes] | None = None
        self._reason: str | None = None
        self._started_at: datetime | None = None
        self._started = 0.0

    def launch(self) -> None:
        """Start the process, tied to our life, in a session of its own.

        Raises:
            DiskFullError, FolderError: its log cannot be written.
        """
        service = self.service
        with explained_disk_errors(self.log.parent):
            rotate(self.log)
            output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        wrapper = (sys.executable, "-I", "-S", child.__file__, str(os.getpid()), str(int(service.death_signal)))
        try:
            self.process = subprocess.Popen(  # noqa: S603 - the supervisor runs the commands it is given
                (*wrapper, service.user or "", *service.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **service.env},
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(output)
        self.identity = ProcessIdentity.of(self.process.pid)
        self._started_at, self._started = datetime.now(UTC), time.monotonic()
        self.due_at = None

    def has_ended(self) -> bool:
        """Tell whether the process ended by itself since it was started; forget it then."""
        if self.process is None or (code := self.process.poll()) is None:
            return False
        self._forget(code)
        return True

    def plan_restart(self, back_off: BackOff, chance: float) -> None:
        """Set when to start again, after an end that nobody asked for."""
        self.failures = back_off.failures(self.failures, time.monotonic() - self._started)
        self.due_at = time.monotonic() + back_off.wait_seconds(self.failures, chance)

    def restart_if_due(self) -> None:
        """Start again once the wait is over."""
        if self.due_at is not None and time.monotonic() >= self.due_at:
            self.restarts += 1
            self.launch()

    def probe(self) -> None:
        """Ask the process whether it answers, once it had its time to settle."""
        process = self.process
        if process is None or time.monotonic() - self._started < self.service.settle_seconds:
            return
        ready, reason = self.service.ready(), self.service.unwell()
        # The answer belongs to the process that was asked; it may have been replaced meanwhile. One that starts needs
        # only be ready: what it has to restore may take minutes.
        if ready and (reason is None or self._answered is not process):
            self._answered, self._failed = process, None
        else:
            self._failed = process
        self._reason = reason or (None if ready else "not ready")

    @property
    def health(self) -> Health:
        """How it stands now."""
        if self.process is None:
            return "stopped" if self.due_at is None else "backing_off"
        if self._failed is self.process:
            return "unhealthy" if self._answered is self.process else "starting"
        return "healthy" if self._answered is self.process else "starting"

    def state(self) -> ServiceState:
        """The facts for the state file."""
        return ServiceState(
            name=self.service.name,
            process=None if self.process is None else self.identity,
            health=self.health,
            reason=self._reason if self.process is not None else None,
            vitals=self.service.vitals,
            restarts=self.restarts,
            started_at=self._started_at,
            last_exit=self.last_exit,
            log=self.log,
        )

    def ask_to_end(self) -> None:
        """Send the service's stop signal; start it no more."""
        self.due_at = None
        if self.process is not None:
            self.process.send_signal(self.service.stop_signal)

    def end_within(self, deadline: float) -> None:
        """Wait for the end until `deadline` (monotonic), then kill whatever is left of the process's group."""
        if self.process is None:
            return
        try:
            code = self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._kill_group()
            code = self.process.wait()
        self._forget(code)

    def _forget(self, code: int) -> None:
        self._kill_group()
        self.process, self.last_exit = None, code

    def _kill_group(self) -> None:
        # Its own children must not outlive it; there is usually nobody left.
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
