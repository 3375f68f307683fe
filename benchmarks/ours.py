"""Our own contestants: the product's processes, as the product starts them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import orjson

from benchmarks import topics
from benchmarks.checks import check_totals, snapshot_totals
from benchmarks.load import Load
from benchmarks.programs import Program, program
from benchmarks.rates import Rate, watch
from benchmarks.servers import Corner
from benchmarks.sizes import Size
from runledger.schemas.topics import RUNS


@contextmanager
def worker(corner: Corner, name: str, number: int = 1, environment: dict[str, str] | None = None) -> Iterator[Program]:
    """Run one `runledger worker`."""
    command = (sys.executable, "-m", "runledger", "worker", name)
    told = {**corner.environment(), **(environment or {})}
    with program(f"{name}-{number}", command, corner.folder, told) as running:
        yield running


@contextmanager
def workers(corner: Corner, *names: str) -> Iterator[list[Program]]:
    """Run several."""
    with ExitStack() as stack:
        yield [stack.enter_context(worker(corner, name, number)) for number, name in enumerate(names)]


def check_all(programs: list[Program]) -> Callable[[], None]:
    """See that all of them still run."""

    def check() -> None:
        for running in programs:
            running.check()

    return check


@contextmanager
def our_position(corner: Corner) -> Iterator[topics.GroupPosition]:
    """How many events stage 1 has folded and committed."""
    group = f"{corner.settings.topic_prefix}processors"
    with closing(topics.GroupPosition(corner.kafka, group, corner.source, corner.settings.partitions)) as position:
        yield position


def engine_rate(corner: Corner, load: Load, size: Size) -> Rate:
    """Events a second of our engine on the peers' task.

    Raises:
        BenchmarkError: it ended, was too slow, or its sums are wrong.
    """
    command = (sys.executable, "-m", "benchmarks.engine", corner.source)
    with (
        our_position(corner) as position,
        program("engine", command, corner.folder, corner.environment()) as running,
    ):
        rate = watch(position, load.count, deadline_seconds=size.deadline_seconds, check=running.check)
    sums = topics.read_latest(corner.kafka, RUNS.name(corner.settings.topic_prefix))
    found = {key.decode(): (pair[0], pair[1]) for key, value in sums.items() for pair in [orjson.loads(value)]}
    check_totals("our engine", found, load.totals())
    return rate


def ledger_rate(corner: Corner, load: Load, size: Size) -> Rate:
    """Events a second of the whole ledger's stage 1, stage 2 running beside it as it does in the product.

    Raises:
        BenchmarkError: it ended, was too slow, or its sums are wrong.
    """
    with our_position(corner) as position, worker(corner, "processor") as running:
        rate = watch(position, load.count, deadline_seconds=size.deadline_seconds, check=running.check)
    check_totals("our ledger", snapshot_totals(corner), load.totals())
    return rate
