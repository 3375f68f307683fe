"""Start, find and stop the local stack from another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runledger.stack.addresses import Addresses
from runledger.stack.errors import ServerFailedError, StackError, explained_disk_errors
from runledger.stack.files import rotate, tail
from runledger.stack.leftovers import end_processes
from runledger.stack.lock import EXIT_ALREADY_RUNNING, is_held
from runledger.stack.paths import StackFolder, default_cache_dir, default_data_dir
from runledger.stack.plan import Plan
from runledger.stack.state import StackState, read_state

START_SECONDS = 300.0
# The workers' grace, then the servers', with room for a slow machine.
STOP_SECONDS = 60.0
_LOOK_SECONDS = 0.1


def discover(data_dir: Path | None = None) -> Addresses | None:
    """Give the addresses of the stack that runs on a data folder; None where none runs."""
    state = Stack(data_dir).state()
    return None if state is None or state.phase != "running" else state.addresses


class Stack:
    """One data folder's stack, as seen from outside its supervisor.

    Args:
        data_dir: the data folder; the user's own by default.
        cache_dir: where the jars lie; the user's own by default.
    """

    def __init__(self, data_dir: Path | None = None, cache_dir: Path | None = None) -> None:
        self.folder = StackFolder((data_dir or default_data_dir()).expanduser().absolute())
        self.cache = (cache_dir or default_cache_dir()).expanduser().absolute()
        # Kept to be reaped: an ended child that nobody waits for stays in the process table.
        self._supervisor: subprocess.Popen[bytes] | None = None

    def state(self) -> StackState | None:
        """What runs now; None where no supervisor is alive."""
        if not is_held(self.folder.lock_file):
            return None
        # A supervisor that just took over a killed one's folder has not replaced that one's state yet.
        state = read_state(self.folder.state_file)
        return state if state is not None and state.supervisor.is_alive() else None

    def last_failure(self) -> str | None:
        """Why the last start or run ended; None where it ended well or never was."""
        state = read_state(self.folder.state_file)
        return None if state is None else state.error

    def start(
        self,
        plan: Plan | None = None,
        *,
        attached: bool = False,
        on_progress: Callable[[str], None] | None = None,
        timeout_seconds: float = START_SECONDS,
    ) -> Addresses:
        """Start the stack and wait until all of it is healthy; a stack that runs already is taken as it is.

        Args:
            plan: what to run; everything, with the environment's outside servers, by default.
            attached: the stack ends with this process, however this ends.
            on_progress: told each step, one line for people.
            timeout_seconds: how long to wait.

        Raises:
            StackError: it did not come up; what was begun is stopped again.
        """
        self.folder.prepare()
        self._wait_while_stopping()
        if self.state() is None:
            self._supervisor = supervisor = self._spawn(plan or Plan.from_environment(), attached)
        else:
            supervisor = None
        try:
            return self._wait_until_healthy(supervisor, on_progress or (lambda _: None), timeout_seconds)
        except BaseException:
            if supervisor is not None:
                self._stop_spawned(supervisor)
            raise

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> bool:
        """Stop every process of the stack; False where none ran.

        Raises:
            StopError: a process survived its kill.
        """
        state = read_state(self.folder.state_file)
        if state is None:
            return False
        ran = any(process.is_alive() for process in state.processes())
        state.supervisor.send(signal.SIGTERM)
        deadline = time.monotonic() + timeout_seconds
        while is_held(self.folder.lock_file) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        if self._supervisor is not None:
            self._reap(self._supervisor, deadline)
        # What was started since we looked, and what the supervisor could not end.
        last = read_state(self.folder.state_file) or state
        end_processes((*last.processes(), state.supervisor), 0.0 if is_held(self.folder.lock_file) else 2.0)
        return ran

    @contextmanager
    def running(
        self, plan: Plan | None = None, *, on_progress: Callable[[str], None] | None = None
    ) -> Iterator[Addresses]:
        """Have the stack for the length of a block: stopped at its end, on errors, Ctrl-C and our own death alike.

        A stack that ran before is used and left running.
        """
        ran_before = self.state() is not None
        try:
            yield self.start(plan, attached=True, on_progress=on_progress)
        finally:
            if not ran_before:
                self.stop()

    def _wait_while_stopping(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while (state := self.state()) is not None and state.phase == "stopping" and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)

    def _spawn(self, plan: Plan, attached: bool) -> subprocess.Popen[bytes]:
        if self._supervisor is not None:
            # It let go of the folder and is ending.
            self._reap(self._supervisor, time.monotonic() + STOP_SECONDS)
        log = self.folder.logs / "supervisor.log"
        arguments = [str(self.folder.root), str(self.cache), *([str(os.getpid())] if attached else [])]
        with explained_disk_errors(log.parent):
            rotate(log)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            supervisor = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "runledger.stack", *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                # A session of its own: Ctrl-C at the terminal is ours to handle.
                start_new_session=True,
            )
        finally:
            os.close(output)
        if supervisor.stdin is not None:
            supervisor.stdin.write(plan.model_dump_json().encode())
            supervisor.stdin.close()
        return supervisor

    def _wait_until_healthy(
        self, supervisor: subprocess.Popen[bytes] | None, on_progress: Callable[[str], None], timeout_seconds: float
    ) -> Addresses:
        deadline, told = time.monotonic() + timeout_seconds, ""
        while time.monotonic() < deadline:
            ended = None if supervisor is None else supervisor.poll()
            state = self.state()
            if state is not None and state.step not in {"", told}:
                told = state.step
                on_progress(told)
            if state is not None and state.is_healthy and state.addresses is not None:
                return state.addresses
            theirs = supervisor is None or ended == EXIT_ALREADY_RUNNING
            if ended not in {None, EXIT_ALREADY_RUNNING} or (theirs and not is_held(self.folder.lock_file)):
                raise self._failure()
            time.sleep(_LOOK_SECONDS)
        raise ServerFailedError(
            f"the stack is not healthy after {timeout_seconds:.0f} s; see `runledger status` and {self.folder.logs}"
        )

    def _failure(self) -> StackError:
        state = read_state(self.folder.state_file)
        if state is not None and state.phase == "failed" and state.error is not None:
            return ServerFailedError(state.error, state.log_tail)
        log = self.folder.logs / "supervisor.log"
        return ServerFailedError(f"the stack's supervisor ended; see {log}", tail(log))

    def _stop_spawned(self, supervisor: subprocess.Popen[bytes]) -> None:
        supervisor.terminate()
        self._reap(supervisor, time.monotonic() + STOP_SECONDS)
        if (state := read_state(self.folder.state_file)) is not None and not is_held(self.folder.lock_file):
            end_processes(state.processes(), 0.0)

    @staticmethod
    def _reap(supervisor: subprocess.Popen[bytes], deadline: float) -> None:
        try:
            supervisor.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
