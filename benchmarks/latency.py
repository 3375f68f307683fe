"""Latency from produce to a row in Postgres, with one rule for everybody.

Events are produced at a steady pace. One in twenty belongs to a probe run; a reader looks at the probes' rows every few
milliseconds, and an event has arrived once its run's row counts it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg

from benchmarks import topics
from benchmarks.errors import BenchmarkError, TooSlowError
from benchmarks.load import Load
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER

_PROBE_EVERY = 20
_LOOK_SECONDS = 0.004
_WARM_UP_SHARE = 0.2
"""Of the paced time: groups form, caches fill; what arrives then is not measured."""
_DRAIN_SECONDS = 20.0
_START_SECONDS = 60.0
_WARM_UP_RUNS = 40


@dataclass
class Probes:
    """When each probe event was produced: {key: [time of its first event, of its second, …]}."""

    sent: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, key: str) -> None:
        """Note that the next event of a probe is produced now."""
        with self.lock:
            self.sent.setdefault(key, []).append(time.monotonic())

    def pending(self, seen: Mapping[str, int]) -> int:
        """How many noted events have not been seen."""
        with self.lock:
            return sum(len(times) - min(seen.get(key, 0), len(times)) for key, times in self.sent.items())


def paced_load(per_second: int, seconds: float) -> Load:
    """A load that lasts so long at such a pace, of runs that each hear something every second or so."""
    runs = max(_PROBE_EVERY, per_second // _PROBE_EVERY * _PROBE_EVERY)
    return Load(runs * max(3, round(per_second * seconds / runs)), runs)


def latencies(
    kafka: str,
    topic: str,
    load: Load,
    per_second: int,
    look: Callable[[list[str]], Mapping[str, int]],
    check: Callable[[], None],
) -> list[float]:
    """Produce a load at its pace and say how long each probe event took to arrive, in seconds.

    Args:
        kafka: bootstrap servers.
        topic: where to.
        load: what; a fifth of it warms up.
        per_second: the pace.
        look: {key: events counted in its row} of the given keys.
        check: raises where there is nothing to wait for any more.

    Raises:
        TooSlowError: some had not arrived twenty seconds after the last was produced, or the pace could not be kept.
    """
    _wait_until_it_works(kafka, topic, look, check)
    probes, failure = Probes(), []

    def produce() -> None:
        try:
            _produce(kafka, topic, load, per_second, probes)
        except BenchmarkError as error:
            failure.append(error)

    producing = threading.Thread(target=produce, daemon=True)
    producing.start()
    measure_from = time.monotonic() + _WARM_UP_SHARE * load.count / per_second
    keys = [record.key.decode() for record in load.records[: load.runs] if load.is_probe(record.key, _PROBE_EVERY)]
    seen: dict[str, int] = {}
    took: list[float] = []
    deadline = time.monotonic() + load.count / per_second + _DRAIN_SECONDS
    while producing.is_alive() or probes.pending(seen):
        counted = look(keys)
        now = time.monotonic()
        for key, events in counted.items():
            times = probes.sent.get(key, [])
            took += [now - at for at in times[seen.get(key, 0) : events] if at >= measure_from]
            seen[key] = max(events, seen.get(key, 0))
        if now > deadline:
            raise TooSlowError(f"{probes.pending(seen)} probe events had not arrived {_DRAIN_SECONDS:.0f} s later")
        check()
        time.sleep(_LOOK_SECONDS)
    if failure:
        raise failure[0]
    return took


def _wait_until_it_works(
    kafka: str, topic: str, look: Callable[[list[str]], Mapping[str, int]], check: Callable[[], None]
) -> None:
    """Send events of other runs and wait until their rows stand: processes have started, groups have formed."""
    first = Load(3 * _WARM_UP_RUNS, _WARM_UP_RUNS, seed=2)
    topics.fill(kafka, topic, first.records)
    keys, deadline = list(first.totals()), time.monotonic() + _START_SECONDS
    while sum(look(keys).values()) < first.count:
        if time.monotonic() > deadline:
            raise TooSlowError(f"the first events had not arrived {_START_SECONDS:.0f} s later")
        check()
        time.sleep(0.1)


def _produce(kafka: str, topic: str, load: Load, per_second: int, probes: Probes) -> None:
    """Produce at a steady pace: whatever is due by the clock, then rest."""
    producer = topics.producer_of(kafka, linger_ms=1)
    began = time.monotonic()
    for number, record in enumerate(load.records):
        ahead = began + number / per_second - time.monotonic()
        if ahead > 0:
            time.sleep(max(ahead, 0.001))
        if load.is_probe(record.key, _PROBE_EVERY):
            probes.note(record.key.decode())
        headers: list[tuple[str, str | bytes | None]] = [
            (EVENT_ID_HEADER, record.event_id.encode()),
            ("content-type", CONTENT_TYPE.encode()),
        ]
        producer.produce(topic, record.value, record.key, headers=headers)
        producer.poll(0)
    if producer.flush(10):
        raise TooSlowError("the paced producer's events were not acknowledged")
    late = time.monotonic() - began - load.count / per_second
    if late > 0.2 * load.count / per_second:
        raise TooSlowError(f"the pace of {per_second}/s could not be kept: {late:.1f} s late")


def look_at(connection: psycopg.Connection, query: str) -> Callable[[list[str]], Mapping[str, int]]:
    """Ask a table: the query takes keys and gives (key, events)."""

    def look(keys: list[str]) -> Mapping[str, int]:
        rows = connection.execute(query, [keys]).fetchall()
        return {key: int(events) for key, events in rows}

    return look


def percentile(values: list[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
