"""Latency from produce to a row in Postgres, with one rule for everybody.

Events are produced at a steady pace, by runs that begin and end all the time. One in twenty belongs to a probe run; a
reader looks at the probes' rows every few milliseconds, and an event has arrived once its run's row counts it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg

from benchmarks import topics
from benchmarks.errors import BenchmarkError, TooSlowError
from benchmarks.load import Load, LoadRecord
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


@dataclass(frozen=True, slots=True)
class PacedLoad:
    """Events of runs that are at different points of their lives.

    Args:
        before: what the runs that are under way have told already when the pace begins.
        records: what is told at the pace.
        probes: {key of a run that is looked at: its events in `before`}.
    """

    before: list[LoadRecord]
    records: list[LoadRecord]
    probes: dict[str, int]


def paced_load(per_second: int, seconds: float) -> PacedLoad:
    """Make a load that lasts so long at such a pace, of runs that each tell something once a second.

    As many runs are open all the time, each at a turn of its life by chance, and another run begins where one has
    ended: in every second as many begin as end.
    """
    turns = max(3, round(seconds))
    places = max(_PROBE_EVERY, per_second // _PROBE_EVERY * _PROBE_EVERY)
    load = Load(2 * places * turns, 2 * places)  # two lives in each place

    def record(place: int, turn: int) -> LoadRecord:
        life, own = divmod(turn, turns)
        return load.records[own * load.runs + life * places + place]

    phases = [place % turns for place in range(places)]
    random.Random(places).shuffle(phases)  # noqa: S311  # repeatable, not secret
    before = [record(place, turn) for place, phase in enumerate(phases) for turn in range(phase)]
    records = [record(place, second + phase) for second in range(turns) for place, phase in enumerate(phases)]
    probes = {record(place, turns).key.decode(): 0 for place in range(0, places, _PROBE_EVERY)}
    probes |= {record(place, 0).key.decode(): phases[place] for place in range(0, places, _PROBE_EVERY)}
    return PacedLoad(before, records, probes)


def latencies(
    kafka: str,
    topic: str,
    load: PacedLoad,
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
    first = Load(3 * _WARM_UP_RUNS, _WARM_UP_RUNS, seed=2)
    _fill(kafka, topic, first.records, {key: events for key, (_, events) in first.totals().items()}, look, check)
    _fill(kafka, topic, load.before, load.probes, look, check)
    probes, failure = Probes(), []
    seconds = len(load.records) / per_second

    def produce() -> None:
        try:
            _produce(kafka, topic, load, per_second, probes)
        except BenchmarkError as error:
            failure.append(error)

    producing = threading.Thread(target=produce, daemon=True)
    producing.start()
    measure_from = time.monotonic() + _WARM_UP_SHARE * seconds
    keys = list(load.probes)
    seen: dict[str, int] = {}
    took: list[float] = []
    deadline = time.monotonic() + seconds + _DRAIN_SECONDS
    while producing.is_alive() or probes.pending(seen):
        counted = look(keys)
        now = time.monotonic()
        for key, all_events in counted.items():
            times, events = probes.sent.get(key, []), all_events - load.probes[key]
            took += [now - at for at in times[seen.get(key, 0) : events] if at >= measure_from]
            seen[key] = max(events, seen.get(key, 0))
        if now > deadline:
            raise TooSlowError(f"{probes.pending(seen)} probe events had not arrived {_DRAIN_SECONDS:.0f} s later")
        check()
        time.sleep(_LOOK_SECONDS)
    if failure:
        raise failure[0]
    return took


def _fill(
    kafka: str,
    topic: str,
    records: list[LoadRecord],
    counts: Mapping[str, int],
    look: Callable[[list[str]], Mapping[str, int]],
    check: Callable[[], None],
) -> None:
    """Send events and wait until their rows stand: {key: events}. The first time, processes start and groups form."""
    topics.fill(kafka, topic, records)
    keys, deadline = list(counts), time.monotonic() + _START_SECONDS
    while sum(look(keys).values()) < sum(counts.values()):
        if time.monotonic() > deadline:
            raise TooSlowError(f"what went before had not arrived {_START_SECONDS:.0f} s later")
        check()
        time.sleep(0.1)


def _produce(kafka: str, topic: str, load: PacedLoad, per_second: int, probes: Probes) -> None:
    """Produce at a steady pace: whatever is due by the clock, then rest."""
    producer = topics.producer_of(kafka, linger_ms=1)
    began = time.monotonic()
    for number, record in enumerate(load.records):
        ahead = began + number / per_second - time.monotonic()
        if ahead > 0:
            time.sleep(max(ahead, 0.001))
        if (key := record.key.decode()) in load.probes:
            probes.note(key)
        headers: list[tuple[str, str | bytes | None]] = [
            (EVENT_ID_HEADER, record.event_id.encode()),
            ("content-type", CONTENT_TYPE.encode()),
        ]
        producer.produce(topic, record.value, record.key, headers=headers)
        producer.poll(0)
    if producer.flush(10):
        raise TooSlowError("the paced producer's events were not acknowledged")
    planned = len(load.records) / per_second
    late = time.monotonic() - began - planned
    if late > 0.2 * planned:
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
