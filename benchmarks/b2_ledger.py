"""B2: the whole ledger (validation, dedupe, every reducer, durable) beside Quix Streams' bare sum."""

from __future__ import annotations

from benchmarks.contest import rates
from benchmarks.load import Load
from benchmarks.ours import ledger_rate
from benchmarks.results import Result, compare
from benchmarks.rivals import quix_rate
from benchmarks.servers import Servers
from benchmarks.sizes import Size

NAME = "B2"
CLAIM = "the whole ledger (full validation, dedupe, all reducers, durable; stage 2 beside it) and Quix's bare sum"


def measure(servers: Servers, size: Size) -> Result:
    """Measure events a second of both.

    Raises:
        BenchmarkError: a contestant failed, was too slow, or its sums are wrong.
    """
    load = Load(size.events, size.runs)
    found = rates(servers, size, load, {"ours": ledger_rate, "quixstreams": quix_rate})
    extra = {"events": load.count, "runs": load.runs, "mean_event_bytes": round(load.mean_bytes)}
    return compare(NAME, CLAIM, "events/s", found, {"quixstreams": 1.5}, extra=extra)
