"""Where the time goes: microseconds of CPU for each event, by part, in processes under load, sampled from outside."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import stacks, topics
from benchmarks.b5_pipeline import WORKERS, reached
from benchmarks.b9_gateway import gateway, usage_requests
from benchmarks.b10_cost import wait_for_groups
from benchmarks.contest import say
from benchmarks.errors import EndedError
from benchmarks.http_load import post_all
from benchmarks.load import Load
from benchmarks.ours import check_all, workers
from benchmarks.programs import Program, peer_program, program
from benchmarks.rates import watch
from benchmarks.results import Result
from benchmarks.rivals import ENVIRONMENT
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size

NAME = "profile"
CLAIM = "where the time goes: microseconds of CPU for each event, by part"
POSTS = 20_000
_PER_SECOND = 50
_CONNECTIONS = 64
_NATIVE_THREADS = "rdk:"
_MOST_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Threads:
    """CPU seconds that a process has used in threads that run Python, and in librdkafka's."""

    interpreter: float
    native: float

    def __sub__(self, other: Threads) -> Threads:
        return Threads(self.interpreter - other.interpreter, self.native - other.native)


def measure(servers: Servers, size: Size) -> Result:
    """Sample the processor, the sink, the SDK and the gateway, each under its full load.

    Raises:
        BenchmarkError: a process ended, or was too slow, or py-spy may not look at it.
    """
    found: dict[str, dict[str, float]] = {}
    with servers.corner() as corner:
        found |= _pipeline(corner, size)
    with servers.corner() as corner:
        found["sdk"] = _sdk(corner, size)
    with servers.corner() as corner:
        found["gateway"] = _gateway(corner, size)
    for name, parts in found.items():
        say(f"{name}: {sum(parts.values()):.1f} µs an event")
    return Result(NAME, CLAIM, "", None, target="reported", extra={"micros_per_event": found})


@contextmanager
def _sampled(pid: int, samples: Path) -> Iterator[None]:
    """Sample whoever holds a process's interpreter, without stopping its threads: that took more CPU than they did."""
    command = [peer_program(ENVIRONMENT, "py-spy"), "record", "--pid", str(pid), "--gil", "--nonblocking"]
    command += ["--rate", str(_PER_SECOND), "--duration", str(_MOST_SECONDS)]
    command += ["--format", "raw", "--output", str(samples)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as spy:
        try:
            yield
        finally:
            spy.send_signal(signal.SIGINT)
            told, _ = spy.communicate(timeout=60)
    if not samples.exists():
        raise EndedError(f"py-spy did not sample: {told.decode(errors='replace')[-500:]}")


def worker_of(running: Program) -> psutil.Process:
    """The process that does the work: the one that we start only sees to its end."""
    main = psutil.Process(running.process.pid)
    return next(iter(main.children(recursive=True)), main)


def threads_of(process: psutil.Process) -> Threads:
    """CPU seconds by kind of thread; librdkafka's bear names of their own where the system tells names."""
    native = 0.0
    for thread in process.threads():
        with suppress(OSError):
            name = Path(f"/proc/{process.pid}/task/{thread.id}/comm").read_text(encoding="utf-8")
            if name.startswith(_NATIVE_THREADS):
                native += thread.user_time + thread.system_time
    times = process.cpu_times()
    return Threads(times.user + times.system - native, native)


def _pipeline(corner: Corner, size: Size) -> dict[str, dict[str, float]]:
    load = Load(size.events, size.runs)
    tables = {"processor": stacks.PROCESSOR, "sink": stacks.SINK}
    with corner.connect() as connection, workers(corner, *WORKERS) as running:
        wait_for_groups(corner, WORKERS, running)
        watched = {name: worker_of(one) for name, one in zip(WORKERS, running, strict=True) if name in tables}
        with ExitStack() as sampling:
            for name, process in watched.items():
                sampling.enter_context(_sampled(process.pid, corner.folder / f"{name}.stacks"))
            before = {name: threads_of(process) for name, process in watched.items()}
            topics.fill(corner.kafka, corner.source, load.records)
            watch(
                lambda: reached(connection, corner, load),
                load.count,
                deadline_seconds=size.deadline_seconds,
                check=check_all(running),
            )
            used = {name: threads_of(process) - before[name] for name, process in watched.items()}
    return {name: _micros(corner, name, parts, used[name], load.count) for name, parts in tables.items()}


def _micros(corner: Corner, name: str, parts: tuple[stacks.Part, ...], used: Threads, count: int) -> dict[str, float]:
    collapsed = (corner.folder / f"{name}.stacks").read_text(encoding="utf-8")
    split = stacks.shares(collapsed, parts, leave_out=("benchmarks/load",))
    return stacks.micros(split, 1e6 * used.interpreter / count, 1e6 * used.native / count)


def _sdk(corner: Corner, size: Size) -> dict[str, float]:
    """The producing process by itself: it says when it begins, and waits to be looked at before it ends."""
    command = (sys.executable, "-m", "benchmarks.producing", "sdk", str(size.events), str(size.runs), "--stay")
    with program("sdk", command, corner.folder, corner.environment()) as running:
        process = _when(running, b"ready", size)
        with _sampled(process.pid, corner.folder / "sdk.stacks"):
            before = threads_of(process)
            process.send_signal(signal.SIGUSR1)
            _when(running, b"done", size)
            used = threads_of(process) - before
    return _micros(corner, "sdk", stacks.SDK, used, size.events)


def _when(running: Program, word: bytes, size: Size) -> psutil.Process:
    deadline = time.monotonic() + size.deadline_seconds
    while word not in running.log.read_bytes().split():
        running.check()
        if time.monotonic() > deadline:
            raise EndedError(f"{running.name} did not come to {word.decode()}: {running.last_words()}")
        time.sleep(0.05)
    return worker_of(running)


def _gateway(corner: Corner, size: Size) -> dict[str, float]:
    with gateway(corner) as (url, running):
        requests = usage_requests(corner, url, size.share(POSTS, 600))
        warm = len(requests) // 10
        asyncio.run(post_all(url, requests[:warm], _CONNECTIONS))
        process = worker_of(running)
        with _sampled(process.pid, corner.folder / "gateway.stacks"):
            before = threads_of(process)
            asyncio.run(post_all(url, requests[warm:], _CONNECTIONS))
            used = threads_of(process) - before
    return _micros(corner, "gateway", stacks.GATEWAY, used, len(requests) - warm)
