"""B1: stage 1's engine on the peers' own task: JSON decode, sum per run key, durable state."""

from __future__ import annotations

from benchmarks.contest import rates
from benchmarks.load import Load
from benchmarks.ours import engine_rate
from benchmarks.results import Result, compare
from benchmarks.rivals import bytewax_rate, faust_rate, quix_rate
from benchmarks.servers import Servers
from benchmarks.sizes import Size

NAME = "B1"
CLAIM = "JSON decode, sum per run key, durable state: our engine beside stream processors in Python"
TARGETS = {"quixstreams": 3.0, "bytewax": 1.2, "faust": 20.0}


def measure(servers: Servers, size: Size) -> Result:
    """Measure events a second of all four.

    Raises:
        BenchmarkError: a contestant failed, was too slow, or its sums are wrong.
    """
    load = Load(size.events, size.runs)
    contestants = {"ours": engine_rate, "quixstreams": quix_rate, "bytewax": bytewax_rate, "faust": faust_rate}
    found = rates(servers, size, load, contestants)
    extra = {"events": load.count, "runs": load.runs, "mean_event_bytes": round(load.mean_bytes)}
    return compare(NAME, CLAIM, "events/s", found, TARGETS, extra=extra)
