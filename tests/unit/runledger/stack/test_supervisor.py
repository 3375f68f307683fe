from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runledger.stack.backoff import BackOff
from runledger.stack.errors import ServerFailedError
from runledger.stack.service import Service
from runledger.stack.state import ServiceState
from runledger.stack.supervisor import StopRequestedError, Supervisor
from tests.unit.runledger.stack import supervising

QUICK = BackOff(first_seconds=0.05, longest_seconds=0.2, jitter=0.0)
PATIENT = "import signal; signal.pause()"
DEADLINE_SECONDS = 30.0


class Observed:
    """A supervisor whose states are kept, and which stops when told or after a deadline."""

    def __init__(self, logs: Path) -> None:
        self.states: list[tuple[ServiceState, ...]] = []
        self.enough: Callable[[tuple[ServiceState, ...]], bool] = lambda _: False
        self._deadline = time.monotonic() + DEADLINE_SECONDS
        self.supervisor = Supervisor(logs, self.states.append, self._stop_requested, QUICK)

    def _stop_requested(self) -> bool:
        return time.monotonic() > self._deadline or bool(self.states and self.enough(self.states[-1]))

    def state(self, name: str) -> ServiceState:
        return next(state for state in self.states[-1] if state.name == name)


@pytest.fixture
def observed(tmp_path: Path) -> Iterator[Observed]:
    observed = Observed(tmp_path)
    yield observed
    observed.supervisor.stop()


def python(name: str, code: str, *arguments: str) -> Service:
    return Service(name=name, command=(sys.executable, "-c", code, *arguments), grace_seconds=10)


def processes_with(mark: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or ()) and p.pid != os.getpid()]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_process_that_crashes_is_started_again(observed: Observed) -> None:
    observed.supervisor.start([python("worker", PATIENT)])
    first = observed.state("worker").process
    assert first is not None
    first.send(signal.SIGKILL)
    observed.enough = lambda states: states[0].restarts == 1 and states[0].health == "healthy"
    observed.supervisor.watch()
    state = observed.state("worker")
    assert (state.restarts, state.last_exit, state.health) == (1, -signal.SIGKILL, "healthy")
    assert state.process != first
    assert any(states[0].health == "backing_off" for states in observed.states)


def test_each_start_has_a_log_of_its_own(observed: Observed, tmp_path: Path) -> None:
    observed.supervisor.start([python("worker", f"import os; print(os.getpid(), flush=True); {PATIENT}")])
    process = observed.state("worker").process
    assert process is not None
    wait_until(lambda: (tmp_path / "worker.log").read_text() == f"{process.pid}\n")
    process.send(signal.SIGKILL)
    observed.enough = lambda states: states[0].restarts == 1
    observed.supervisor.watch()
    assert (tmp_path / "worker.1.log").read_text() == f"{process.pid}\n"


def test_a_process_that_ends_at_its_start_fails_with_its_last_words(observed: Observed) -> None:
    dying = python("server", "import sys; sys.exit('no room on this machine')")
    with pytest.raises(ServerFailedError, match="server ended at its start with code 1") as failure:
        observed.supervisor.start([Service(name="server", command=dying.command, ready=lambda: False)])
    assert "no room on this machine" in failure.value.log_tail
    assert "no room on this machine" in str(failure.value)


def test_a_process_that_does_not_answer_in_its_time_fails(observed: Observed) -> None:
    command = (sys.executable, "-c", PATIENT)
    with pytest.raises(ServerFailedError, match="mute did not answer within 0 s"):
        observed.supervisor.start([Service(name="mute", command=command, ready=lambda: False, ready_seconds=0.3)])


def test_a_stop_asked_for_during_the_start_is_obeyed(observed: Observed) -> None:
    observed.enough = lambda _: True
    with pytest.raises(StopRequestedError):
        observed.supervisor.start([Service(name="mute", command=(sys.executable, "-c", PATIENT), ready=lambda: False)])


def test_stop_ends_the_later_group_first(observed: Observed, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    code = (
        "import signal, sys\n"
        "def end(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2])\n    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[1] + sys.argv[2], 'w').close()\n"
        "while True: signal.pause()\n"
    )
    for name in ("a", "b", "c"):
        observed.supervisor.start([python(name, code, str(ends), name)])
        wait_until(Path(f"{ends}{name}").exists)
    observed.supervisor.stop()
    assert ends.read_text() == "cba"
    assert [state.health for state in observed.states[-1]] == ["stopped"] * 3


def test_a_process_that_will_not_end_is_killed_with_its_children(observed: Observed, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    code = (
        "import pathlib, signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()', sys.argv[1]])\n"
        "pathlib.Path(sys.argv[2]).touch()\n"
        "while True: signal.pause()\n"
    )
    command = (sys.executable, "-c", code, mark, str(tmp_path / "started"))
    observed.supervisor.start([Service(name="stubborn", command=command, grace_seconds=0.3)])
    wait_until((tmp_path / "started").exists)
    wait_until(lambda: len(processes_with(mark)) == 2)
    observed.supervisor.stop()
    wait_until(lambda: not processes_with(mark))
    assert observed.state("stubborn").last_exit == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children of their parent's death on Linux alone")
def test_killing_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    command = [sys.executable, supervising.__file__, str(tmp_path), mark]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "running\n"
        children = [process for process in processes_with(mark) if process.pid != supervisor.pid]
        assert len(children) == 1
        supervisor.kill()
    wait_until(lambda: not processes_with(mark))
