"""Processes under measurement: each ends with us, within its deadline, and says what it used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.errors import EndedError, NotInstalledError
from runledger.stack import child

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).resolve().parent / "peers"
_GRACE_SECONDS = 15.0
_TAIL_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children have used so far."""

    cpu_seconds: float
    resident_bytes: int


class Program:
    """A running process."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self.process = process

    def check(self) -> None:
        """See that it still runs, or ended well.

        Raises:
            EndedError: it failed; the message ends with what it last said.
        """
        code = self.process.poll()
        if code:
            raise EndedError(f"{self.name} ended with {code}: {self.last_words()}")

    def wait(self, seconds: float) -> None:
        """Wait for its end.

        Raises:
            EndedError: it failed, or did not end in time.
        """
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise EndedError(f"{self.name} had not ended after {seconds:.0f} s: {self.last_words()}") from error
        self.check()

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()

    def usage(self) -> Usage:
        """What it and its children have used so far."""
        cpu_seconds, resident_bytes = 0.0, 0
        main = psutil.Process(self.process.pid)
        for process in (main, *main.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                cpu_seconds += times.user + times.system
                resident_bytes += process.memory_info().rss
        return Usage(cpu_seconds, resident_bytes)


def serving(port: int) -> psutil.Process | None:
    """The process of this machine that listens on a port; None if there is none, or we may not know."""
    with suppress(psutil.AccessDenied, psutil.NoSuchProcess):
        for socket in psutil.net_connections(kind="tcp"):
            if socket.status == psutil.CONN_LISTEN and socket.laddr and socket.laddr.port == port and socket.pid:
                return psutil.Process(socket.pid)
    return None


def cpu_with_children(process: psutil.Process) -> float:
    """CPU seconds of a process and all its children, those that have ended too."""
    seconds = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


@contextmanager
def paused(running: Sequence[Program]) -> Iterator[None]:
    """Stop processes for a block of a few seconds: what is prepared meanwhile, they have not yet begun on."""
    try:
        for one in running:
            os.killpg(one.process.pid, signal.SIGSTOP)
        yield
    finally:
        for one in running:
            with suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGCONT)


@contextmanager
def program(
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[Program]:
    """Run a process for the length of a block; it also ends when we do, however we end."""
    log = folder / f"{name}.log"
    wrapper = (sys.executable, "-I", "-S", child.__file__, str(os.getpid()), str(int(signal.SIGKILL)), "")
    with log.open("ab") as output:
        process = subprocess.Popen(
            (*wrapper, *command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            cwd=ROOT,
            start_new_session=True,
        )
    try:
        yield Program(name, process, log)
    finally:
        process.send_signal(stop_signal)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def peer_python(environment: str) -> str:
    """Python of a peers' environment.

    Raises:
        NotInstalledError: `make bench` has not made it.
    """
    return peer_program(environment, "python")


def peer_program(environment: str, name: str) -> str:
    """A program of a peers' environment.

    Raises:
        NotInstalledError: `make bench` has not made it.
    """
    path = ROOT / environment / "bin" / name
    if not path.exists():
        raise NotInstalledError(f"{environment} has no {name}: `make bench` makes it")
    return str(path)


def peer_version(environment: str, package: str) -> str:
    """Version of a package in a peers' environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    command = (peer_python(environment), "-c", code)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()
