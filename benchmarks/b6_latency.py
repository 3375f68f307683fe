"""B6: latency from produce to the run's row that includes the event, at 2,000 events a second."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from benchmarks.b5_pipeline import ARROYO_TABLE, QUIX_TABLE, WORKERS
from benchmarks.contest import say
from benchmarks.latency import PacedLoad, latencies, look_at, paced_load, percentile
from benchmarks.ours import check_all, workers
from benchmarks.results import Result, compare
from benchmarks.rivals import arroyo, quix
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size

NAME = "B6"
CLAIM = "latency from produce to the run's row in Postgres including that event, at 2,000 events/s"
PER_SECOND = 2_000
P50_MS, P99_MS = 120, 350
_QUIX_COMMIT_SECONDS = 0.05
"""The shortest at which it keeps the pace: each commit flushes producer, changelog and sink."""
_ARROYO_BATCH_SECONDS = 0.05

Running: TypeAlias = Iterator[tuple[str, Callable[[], None]]]


@contextmanager
def _ours(corner: Corner) -> Running:
    query = """
        SELECT project_key || '/' || run_id, events FROM agent_run
        WHERE (project_key, run_id) IN (
            SELECT split_part(key, '/', 1), split_part(key, '/', 2)::uuid FROM unnest(%s::text[]) AS key
        )
    """
    with workers(corner, *WORKERS) as running:
        yield query, check_all(running)


@contextmanager
def _quix(corner: Corner) -> Running:
    with corner.connect() as connection:
        connection.execute(QUIX_TABLE)
    with quix(corner, commit_seconds=_QUIX_COMMIT_SECONDS, commit_every=0, sink=True) as running:
        yield "SELECT run, events FROM quix_totals WHERE run = ANY(%s)", running.check


@contextmanager
def _arroyo(corner: Corner) -> Running:
    with corner.connect() as connection:
        connection.execute(ARROYO_TABLE)
    with arroyo(corner, batch_seconds=_ARROYO_BATCH_SECONDS) as running:
        yield "SELECT run, events FROM arroyo_totals WHERE run = ANY(%s)", running.check


def measure(servers: Servers, size: Size) -> Result:
    """Measure p50 and p99 of all three, each on topics of its own, one after the other.

    Raises:
        BenchmarkError: a contestant failed, or events did not arrive.
    """
    load = paced_load(PER_SECOND, size.paced_seconds)
    contestants = {"ours": _ours, "quixstreams": _quix, "sentry-arroyo": _arroyo}
    p50: dict[str, list[float]] = {name: [] for name in contestants}
    p99: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(1, size.rounds + 1):
        for name, running in contestants.items():
            took = _took(servers, load, running)
            p50[name].append(1000 * percentile(took, 0.5))
            p99[name].append(1000 * percentile(took, 0.99))
            say(f"round {number}: {name} p50 {p50[name][-1]:.0f} ms, p99 {p99[name][-1]:.0f} ms of {len(took)} probes")
    medians = {name: round(statistics.median(values), 1) for name, values in p50.items()}
    met = medians["ours"] <= P50_MS and statistics.median(p99["ours"]) <= P99_MS
    extra = {"events_per_second": PER_SECOND, "p50_ms": medians, "p50_rounds": _rounded(p50)}
    targets = dict.fromkeys(("quixstreams", "sentry-arroyo"))
    target = f"p50 <= {P50_MS} ms and p99 <= {P99_MS} ms"
    return compare(NAME, CLAIM, "ms, p99", p99, targets, better="less", extra=extra, target=target, target_met=met)


def _took(servers: Servers, load: PacedLoad, running: Callable[[Corner], object]) -> list[float]:
    with servers.corner() as corner, running(corner) as (query, check), corner.connect() as connection:  # type: ignore[attr-defined]  # a context manager
        return latencies(corner.kafka, corner.source, load, PER_SECOND, look_at(connection, query), check)


def _rounded(values: Mapping[str, list[float]]) -> dict[str, list[float]]:
    return {name: [round(value, 1) for value in each] for name, each in values.items()}
