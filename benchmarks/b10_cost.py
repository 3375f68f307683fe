"""B10: memory for each 1,000 open runs in a processor, and CPU seconds for a million events in each process."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from benchmarks import topics
from benchmarks.b5_pipeline import WORKERS, reached
from benchmarks.contest import say
from benchmarks.errors import TooSlowError
from benchmarks.load import Load
from benchmarks.ours import check_all, our_position, worker, workers
from benchmarks.programs import Program, cpu_with_children, serving
from benchmarks.rates import watch
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size
from benchmarks.volumes import tables_volume, topics_volume, wal_position
from runledger.schemas.topics import RUN_EVENTS
from runledger.stack.health import KafkaView
from runledger.stack.plan import consumer_groups

NAME = "B10"
CLAIM = "cost: memory for each 1,000 open runs in a processor; CPU and room that a million events take"
OPEN_RUNS = 50_000
SERVERS = ("kafka", "postgres")
_START_SECONDS = 60
_SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one load cost.

    Args:
        cpu: {process: CPU seconds for a million events}; the broker and the database too, if they run on this machine.
        consume_per_second: events a second that librdkafka alone takes from the same topic.
        topics: {topic: its records, and bytes of each}.
        tables: {table: its rows, and bytes of each}.
        wal_bytes: of write-ahead log for each event.
    """

    cpu: dict[str, float]
    consume_per_second: int
    topics: dict[str, dict[str, float]]
    tables: dict[str, dict[str, Any]]
    wal_bytes: float

    def extra(self) -> dict[str, Any]:
        """As it stands in results.json."""
        return {
            "cpu_seconds_per_million_events": {name: round(seconds, 1) for name, seconds in self.cpu.items()},
            "consume_per_second": self.consume_per_second,
            "wal_bytes_per_event": round(self.wal_bytes),
            "topics": self.topics,
            "tables": self.tables,
        }


def measure(servers: Servers, size: Size) -> Result:
    """Measure once: nothing is compared here, and CPU time hardly depends on what else runs.

    Raises:
        BenchmarkError: a process failed or was too slow.
    """
    with servers.corner() as corner:
        memory = _mebibytes_per_thousand(corner, size)
    with servers.corner() as corner:
        cost = _cost(corner, size)
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in cost.cpu.items())
    say(f"{memory:.2f} MiB per 1,000 open runs; CPU per million events: {told}")
    extra = {"open_runs": size.share(OPEN_RUNS, 1000), **cost.extra()}
    return compare(NAME, CLAIM, "MiB per 1,000 open runs", {"ours": [memory]}, {}, extra=extra, target="reported")


def wait_for_groups(corner: Corner, names: tuple[str, ...], running: list[Program]) -> None:
    """Wait until the processes have joined their groups and have nothing more to do for their start.

    Raises:
        BenchmarkError: one ended or was too slow.
    """
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
        wait_for_groups(corner, ("processor",), [running])
        before = running.usage().resident_bytes
        count = 2 * runs  # the ends stay out: every run stays open
        topics.fill(corner.kafka, corner.source, load.records[:count])
        watch(position, count, deadline_seconds=size.deadline_seconds, check=running.check)
        return (running.usage().resident_bytes - before) / 2**20 / (runs / 1000)


def _cpu_seconds(one: Program) -> float:
    return one.usage().cpu_seconds


def _servers(corner: Corner) -> dict[str, Callable[[], float]]:
    """{server: CPU seconds it has used}, of those that run here."""
    ports = int(corner.kafka.rpartition(":")[2]), int(conninfo_to_dict(corner.settings.postgres).get("port") or 5432)
    found = {name: process for name, port in zip(SERVERS, ports, strict=True) if (process := serving(port))}
    return {name: partial(cpu_with_children, process) for name, process in found.items()}


def _cost(corner: Corner, size: Size) -> Cost:
    """What the load costs in each process, their starts left out, and the room that it takes."""
    load = Load(size.events, size.runs)
    with corner.connect() as connection, workers(corner, *WORKERS) as running:
        wait_for_groups(corner, WORKERS, running)
        watched = _servers(corner) | {
            name: partial(_cpu_seconds, one) for name, one in zip(WORKERS, running, strict=True)
        }
        before, wal = {name: seconds() for name, seconds in watched.items()}, wal_position(connection)
        topics.fill(corner.kafka, corner.source, load.records)
        watch(
            lambda: reached(connection, corner, load),
            load.count,
            deadline_seconds=size.deadline_seconds,
            check=check_all(running),
        )
        used = {name: seconds() - before[name] for name, seconds in watched.items()}
        wal = wal_position(connection) - wal
        tables = tables_volume(connection)
    held = topics_volume(corner)
    return Cost(
        {name: 1e6 * used[name] / load.count for name in (*WORKERS, *SERVERS) if name in used},
        held[RUN_EVENTS.suffix].per_second,
        {name: volume.per_record() for name, volume in held.items()},
        tables,
        wal / load.count,
    )
