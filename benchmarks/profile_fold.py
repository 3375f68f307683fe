"""Where stage 1's time goes: `python -m benchmarks.profile_fold [EVENTS] [RUNS]`, without a broker.

One partition's events are folded in batches as the processor folds them, and each part is timed by itself over the same
records, in CPU time; the best of several passes counts. What Kafka's client and the event loop cost is not in here.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import typer

from benchmarks.load import Load
from runledger.processors import ledger
from runledger.processors.dedupe import event_hash
from runledger.processors.evolve import Draft
from runledger.processors.fold import fold
from runledger.processors.records import Batch, Changes, Headers, Tombstone, log_time
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import ProcessorSettings
from runledger.processors.state import PartitionState
from runledger.processors.steps import At
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER, decode_event
from runledger.schemas.quick_events import read_lean
from runledger.schemas.quick_records import write_record
from runledger.schemas.snapshots import RunSnapshot

_BATCH_RECORDS = 4000
_PASSES = 5

T = TypeVar("T")


@dataclass(slots=True)
class Fetched:
    """A record as aiokafka hands it over."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def fetched(load: Load) -> list[Fetched]:
    """All events of a load, as if they stood in one partition."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    kind = ("content-type", CONTENT_TYPE.encode())
    return [
        Fetched(offset, now, record.key, record.value, ((EVENT_ID_HEADER, record.event_id.encode()), kind))
        for offset, record in enumerate(load.records)
    ]


def best(work: Callable[[], object]) -> float:
    """Seconds of the quickest of several passes."""
    took: list[float] = []
    for _ in range(_PASSES):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def each(things: list[T], work: Callable[[T], object]) -> float:
    """Seconds that some work takes for all things, its results dropped at once as the processor drops them."""
    return best(lambda: deque(map(work, things), maxlen=0))


def fold_all(records: list[Fetched], stage: RunStage) -> tuple[PartitionState[RunSnapshot], int, dict[str, float]]:
    """Fold in batches; return (state, snapshots written, seconds by part)."""
    held: PartitionState[RunSnapshot] = PartitionState(stage.due_at, 100_000)
    seconds, written = {"fold": 0.0, "encode snapshots": 0.0, "take over": 0.0}, 0
    for start in range(0, len(records), _BATCH_RECORDS):
        part = records[start : start + _BATCH_RECORDS]
        times = [time.process_time()]
        changes: Changes[RunSnapshot] = fold(stage, held, [Batch("t", 0, part, start, start + len(part), 1)])
        times.append(time.process_time())
        values = [write_record(state) for state in changes.snapshots.values() if not isinstance(state, Tombstone)]
        times.append(time.process_time())
        held.take(changes)
        times.append(time.process_time())
        written += len(values)
        for name, first, second in zip(seconds, times, times[1:], strict=False):
            seconds[name] += second - first
    return held, written, seconds


def parts(records: list[Fetched]) -> dict[str, float]:
    """Seconds of each part by itself."""
    events = [read_lean(record.value, record.key) for record in records]
    places = [At(record.offset, log_time(record.timestamp)) for record in records]

    def apply_all() -> None:
        runs: dict[bytes | None, Draft] = {}
        for record, event, at in zip(records, events, places, strict=True):
            runs[record.key] = ledger.advance(runs.get(record.key), event, at).state

    return {
        "dedupe hash (ce_id header)": each(records, lambda r: event_hash(r.key, r.value, r.headers)),
        "read and check the event, its key too": each(records, lambda r: read_lean(r.value, r.key)),
        "the same by the model alone": each(records, lambda r: decode_event(r.value, r.key)),
        "log time": each(records, lambda r: log_time(r.timestamp)),
        "reducer (ledger.advance)": best(apply_all),
    }


def main(count: int = 20_000, runs: int = 400) -> None:
    """Print microseconds per event by part."""
    load = Load(count, runs)
    records, stage = fetched(load), RunStage(ProcessorSettings())
    by_part = parts(records)
    _, written, whole = min((fold_all(records, stage) for _ in range(_PASSES)), key=lambda found: found[2]["fold"])
    for name, seconds in by_part.items():
        typer.echo(f"{name:40} {1e6 * seconds / count:6.2f} µs per event")
    for name, seconds in whole.items():
        typer.echo(f"{'whole: ' + name:40} {1e6 * seconds / count:6.2f} µs per event")
    typer.echo(f"{written} snapshots of {count} events, {load.mean_bytes:.0f} bytes an event")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
