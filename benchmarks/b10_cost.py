"""B10: memory for each 1,000 open runs in a processor, and CPU seconds for a million events in each process."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack

from benchmarks import topics
from benchmarks.b5_pipeline import WORKERS, reached
from benchmarks.contest import say
from benchmarks.errors import TooSlowError
from benchmarks.load import Load
from benchmarks.ours import check_all, our_position, worker, workers
from benchmarks.programs import Program
from benchmarks.rates import watch
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size
from runledger.stack.health import KafkaView
from runledger.stack.plan import consumer_groups

NAME = "B10"
CLAIM = "cost: memory for each 1,000 open runs in a processor; CPU seconds for a million events in each process"
OPEN_RUNS = 50_000
_START_SECONDS = 60
_SETTLE_SECONDS = 2.0
_MOST_ROUNDS = 1
"""Nothing is compared here, and CPU time hardly depends on what else runs."""


def measure(servers: Servers, size: Size) -> Result:
    """Measure both.

    Raises:
        BenchmarkError: a process failed or was too slow.
    """
    memory: list[float] = []
    cpu: dict[str, list[float]] = {name: [] for name in WORKERS}
    for number in range(1, min(size.rounds, _MOST_ROUNDS) + 1):
        with servers.corner() as corner:
            memory.append(_mebibytes_per_thousand(corner, size))
        with servers.corner() as corner:
            for name, seconds in _cpu_seconds(corner, size).items():
                cpu[name].append(seconds)
        told = ", ".join(f"{name} {values[-1]:.1f} s" for name, values in cpu.items())
        say(f"round {number}: {memory[-1]:.2f} MiB per 1,000 open runs; CPU per million events: {told}")
    extra = {
        "open_runs": size.share(OPEN_RUNS, 1000),
        "cpu_seconds_per_million_events": {name: round(statistics.median(values), 1) for name, values in cpu.items()},
    }
    return compare(NAME, CLAIM, "MiB per 1,000 open runs", {"ours": memory}, {}, extra=extra, target="reported")


def _wait_for_groups(corner: Corner, names: tuple[str, ...], running: list[Program]) -> None:
    view, groups = KafkaView(corner.settings), consumer_groups(corner.settings.topic_prefix)
    deadline, check = time.monotonic() + _START_SECONDS, check_all(running)
    while not all(view.members(groups[name]) for name in names if name in groups):
        check()
        if time.monotonic() > deadline:
            raise TooSlowError("the processes did not get ready")
        time.sleep(0.2)
    time.sleep(_SETTLE_SECONDS)


def _mebibytes_per_thousand(corner: Corner, size: Size) -> float:
    """Resident memory that so many runs added, each with a start and a report; without the window of event hashes."""
    runs = size.share(OPEN_RUNS, 1000)
    load = Load(3 * runs, runs)
    with ExitStack() as stack:
        position = stack.enter_context(our_position(corner))
        running = stack.enter_context(worker(corner, "processor", environment={"RUNLEDGER_DEDUPE_WINDOW_RECORDS": "0"}))
        _wait_for_groups(corner, ("processor",), [running])
        before = running.usage().resident_bytes
        count = 2 * runs  # the ends stay out: every run stays open
        topics.fill(corner.kafka, corner.source, load.records[:count])
        watch(position, count, deadline_seconds=size.deadline_seconds, check=running.check)
        return (running.usage().resident_bytes - before) / 2**20 / (runs / 1000)


def _cpu_seconds(corner: Corner, size: Size) -> dict[str, float]:
    """CPU seconds that a million events take in each process, its start left out."""
    load = Load(size.events, size.runs)
    with corner.connect() as connection, workers(corner, *WORKERS) as running:
        _wait_for_groups(corner, WORKERS, running)
        before = [one.usage().cpu_seconds for one in running]
        topics.fill(corner.kafka, corner.source, load.records)
        watch(
            lambda: reached(connection, corner, load),
            load.count,
            deadline_seconds=size.deadline_seconds,
            check=check_all(running),
            pause_seconds=0.2,
        )
        used = [one.usage().cpu_seconds - start for one, start in zip(running, before, strict=True)]
    return {name: 1e6 * seconds / load.count for name, seconds in zip(WORKERS, used, strict=True)}
