"""One billion events a day: what they need, by what was measured for each event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

EVENTS_PER_DAY = 1_000_000_000
DAY_SECONDS = 86_400
PEAK = 3
"""The busiest minute beside the mean of the day."""
EVENTS_PER_RUN = 20
REPLICAS = 3
LOG_DAYS = 7
"""Retention of run-events."""
AUDIT_DAYS = 30
"""How long audit rows are kept in Postgres, in this example."""
MOST_BUSY = 0.6
"""Share of a core that a process may use at the peak: the rest is for recovery, take-overs and bad minutes."""
SERVERS = ("kafka", "postgres")
ALONE = ("watch",)
"""What needs no second process to take over."""
OPEN_MINUTES = 10
"""How long a run is open, in this example."""
RETENTIONS = {"24 h (the default)": 86_400, "1 h": 3_600, "10 min": 600}
_GIB, _TIB = 2**30, 2**40


def day_table(results: Mapping[str, Any]) -> str:
    """A table of the arithmetic, each line with its formula; empty where B10 was not measured."""
    measured = results.get("B10")
    if not measured or not measured.get("topics"):
        return ""
    lines = ["| what | how | comes to |", "|---|---|---:|"]
    lines += [f"| {what} | {how} | {value} |" for what, how, value in _lines(measured)]
    return "\n".join(lines)


def _lines(measured: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    mean = EVENTS_PER_DAY / DAY_SECONDS
    runs = EVENTS_PER_DAY // EVENTS_PER_RUN
    yield "events a second, mean", f"10⁹ / {DAY_SECONDS:,} s", f"{mean:,.0f}"
    yield "events a second, peak", f"mean x {PEAK} (assumed)", f"{PEAK * mean:,.0f}"
    yield "runs a day", f"10⁹ / {EVENTS_PER_RUN} (assumed)", f"{runs:,}"
    yield from _log(measured["topics"], runs)
    yield from _processes(measured["cpu_seconds_per_million_events"], PEAK * mean)
    yield from _memory(measured["ours"], runs)
    yield from _tables(measured, runs)


def _log(topics: Mapping[str, Any], runs: int) -> Iterator[tuple[str, str, str]]:
    events, snapshots = topics["run-events"], topics["runs"]
    plain, stored = events["plain_bytes"], events["stored_bytes"]
    yield "`run-events` a day, plain", f"10⁹ x {plain:.0f} B", _size(EVENTS_PER_DAY * plain)
    yield "the same in the log, lz4", f"10⁹ x {stored:.0f} B", _size(EVENTS_PER_DAY * stored)
    yield (
        f"the same for {LOG_DAYS} days on {REPLICAS} replicas",
        f"x {LOG_DAYS} x {REPLICAS}",
        _size(EVENTS_PER_DAY * stored * LOG_DAYS * REPLICAS),
    )
    written = snapshots["stored_bytes"]
    yield (
        "`runs` (changelog) a day, at most",
        f"10⁹ x {written:.0f} B: a snapshot for each event",
        _size(EVENTS_PER_DAY * written),
    )
    yield (
        "the same, compacted",
        f"a day's runs x {written:.0f} B x {REPLICAS} replicas",
        _size(runs * written * REPLICAS),
    )


def _processes(cpu: Mapping[str, float], peak: float) -> Iterator[tuple[str, str, str]]:
    for name, seconds in cpu.items():
        cores = peak * seconds / 1e6
        how = f"peak x {seconds:g} s / 10⁶ (B10) = {cores:.2f} cores; / {MOST_BUSY:g}"
        if name in SERVERS:
            yield f"cores of `{name}`", how, str(ceil(cores / MOST_BUSY))
        else:
            least = 1 if name in ALONE else 2
            yield f"`{name}` processes, {least} at least", how, str(max(least, ceil(cores / MOST_BUSY)))


def _memory(mebibytes_per_thousand: float, runs: int) -> Iterator[tuple[str, str, str]]:
    each = mebibytes_per_thousand * 2**20 / 1000
    opened = runs / DAY_SECONDS * OPEN_MINUTES * 60
    how = f"runs a second x {OPEN_MINUTES} min x {mebibytes_per_thousand:.2f} MiB / 1,000 (B10)"
    yield "memory of open runs, all processors", how, _size(opened * each)
    for words, seconds in RETENTIONS.items():
        held = runs / DAY_SECONDS * seconds
        yield f"and of ended runs kept {words}", f"{held:,.0f} runs", _size(held * each)


def _tables(measured: Mapping[str, Any], runs: int) -> Iterator[tuple[str, str, str]]:
    tables, wal = measured["tables"], measured["wal_bytes_per_event"]
    audit = tables["run_event"]["bytes_per_row"]
    yield "audit rows a day", f"10⁹ x {audit} B, keys and indexes in", _size(EVENTS_PER_DAY * audit)
    yield f"audit rows of {AUDIT_DAYS} days", f"x {AUDIT_DAYS}", _size(EVENTS_PER_DAY * audit * AUDIT_DAYS)
    others = sum(tables[name]["bytes_per_row"] for name in ("agent_run", "agent_run_log", "scoring_outbox"))
    yield "rows of runs, logged runs, jobs a day", f"runs x {others} B", _size(runs * others)
    yield "write-ahead log a day", f"10⁹ x {wal} B (B10)", _size(EVENTS_PER_DAY * wal)
    yield (
        "the same at the peak",
        f"x {PEAK} / {DAY_SECONDS:,} s",
        f"{PEAK * EVENTS_PER_DAY * wal / DAY_SECONDS / 2**20:,.0f} MiB/s",
    )


def _size(count: float) -> str:
    return f"{count / _TIB:,.1f} TiB" if count >= _TIB else f"{count / _GIB:,.1f} GiB"
