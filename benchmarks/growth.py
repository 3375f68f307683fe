"""Growth: stage 1 at 10 thousand, 100 thousand and a million open runs, with 1, 2 and 4 processors."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks import topics
from benchmarks.bulk import Bulk
from benchmarks.contest import say
from benchmarks.ours import check_all, our_position, worker
from benchmarks.programs import paused
from benchmarks.rates import watch
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size

NAME = "growth"
CLAIM = "stage 1 with more open runs and more processors on the same cores"
OPEN_RUNS = (10_000, 100_000, 1_000_000)
PROCESSORS = (1, 2, 4)
_FILL_SECONDS = 600


def measure(servers: Servers, size: Size) -> Result:
    """Measure events a second of further reports while so many runs are open, once each.

    Raises:
        BenchmarkError: a process failed or was too slow.
    """
    rates: dict[str, dict[str, int]] = {}
    memory: dict[str, dict[str, float]] = {}
    for runs in OPEN_RUNS:
        for processors in PROCESSORS:
            with servers.corner() as corner:
                bulk = Bulk(size.share(runs, 500))
                rate, mebibytes = _rate(corner, bulk, processors, size)
            rates.setdefault(f"{bulk.runs:,} open runs", {})[f"x{processors}"] = round(rate)
            memory.setdefault(f"{bulk.runs:,} open runs", {})[f"x{processors}"] = round(mebibytes)
            say(f"{bulk.runs:,} open runs, {processors} processors: {rate:,.0f}/s, {mebibytes:,.0f} MiB")
    best = max(max(each.values()) for each in rates.values())
    extra = {"events_per_second": rates, "processors_memory_mib": memory}
    return compare(NAME, CLAIM, "events/s at best", {"ours": [best]}, {}, extra=extra, target="reported")


def _rate(corner: Corner, bulk: Bulk, processors: int, size: Size) -> tuple[float, float]:
    """(events a second, MiB resident): the runs open first, then further reports are measured."""
    turns = max(2, size.events // bulk.runs)
    with ExitStack() as stack:
        position = stack.enter_context(our_position(corner))
        running = [stack.enter_context(worker(corner, "processor", number)) for number in range(1, processors + 1)]
        check = check_all(running)
        topics.fill(corner.kafka, corner.source, bulk.records(range(1)))
        watch(position, bulk.runs, deadline_seconds=_FILL_SECONDS, check=check)
        with paused(running):
            topics.fill(corner.kafka, corner.source, bulk.records(range(1, turns)))
        more = bulk.runs * (turns - 1)
        rate = watch(lambda: position() - bulk.runs, more, deadline_seconds=_FILL_SECONDS, check=check)
        mebibytes = sum(one.usage().resident_bytes for one in running) / 2**20
        bulk.check(corner, lambda _: turns)
    return rate.per_second, mebibytes
