"""The probe: when does all that was logged by a moment stand in the tables? Offsets in, decision out; pure.

It walks the way of an event in three hops. At each it notes where the logs end and waits until their reader has come so
far: stage 1 in run-events, then stage 2 in run-outcomes, then the sink in every topic it writes into tables. An end is
noted only after the hop before has been reached, so whatever that hop made of the events lies before it. Ends are the
*last* ones, open transactions included: a stage's position may become visible a moment before what was written in the
same transaction does.

Behind the last record of a log stand transaction markers, which readers step over without telling. So a position that
stands still before an end is looked into: if no record lies between the two, the end is reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import TypeAlias, assert_never

Partition: TypeAlias = tuple[str, int]
"""(full topic name, partition)."""
Span: TypeAlias = tuple[int, int]
"""(first offset, offset behind the last one)."""


class Hop(Enum):
    """Whose position is waited for."""

    STAGE_1 = auto()
    STAGE_2 = auto()
    TABLES = auto()


@dataclass(frozen=True, slots=True)
class Probe:
    """A moment on its way through the pipeline.

    Args:
        asked_at: the moment; all that was logged by then is waited for.
        give_up_at: on the caller's monotonic clock, seconds.
        ends: {(topic, partition): offset} that the hop's reader has to reach.
        hop: which one.
        stood: positions at the last look of this hop.
        empty: {(topic, partition): span} known to hold no record; kept from one probe to the next.
    """

    asked_at: datetime
    give_up_at: float
    ends: Mapping[Partition, int]
    hop: Hop = Hop.STAGE_1
    stood: Mapping[Partition, int] = field(default_factory=dict)
    empty: Mapping[Partition, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again in a moment."""


@dataclass(frozen=True, slots=True)
class LookInto:
    """Find out which of these spans hold no record, say so to `found_empty`, and look again."""

    spans: Mapping[Partition, Span]


@dataclass(frozen=True, slots=True)
class GoOn:
    """The hop is reached: note the ends of the next one."""

    hop: Hop


@dataclass(frozen=True, slots=True)
class Reached:
    """All that was logged by then stands in the tables."""

    asked_at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The pipeline is too far behind to wait for."""

    hop: Hop
    partitions: int
    """How many have not been reached."""


Decision: TypeAlias = Wait | LookInto | GoOn | Reached | GiveUp


def look(probe: Probe, positions: Mapping[Partition, int], now: float) -> tuple[Probe, Decision]:
    """Compare the reader's positions with the ends.

    Args:
        probe: as the last look left it.
        positions: {(topic, partition): next_offset}; one that is missing is 0.
        now: on the clock of `give_up_at`.
    """
    behind = _behind(probe, positions)
    if not behind:
        return probe, _next(probe)
    if now >= probe.give_up_at:
        return probe, GiveUp(probe.hop, len(behind))
    still = {source: span for source, span in behind.items() if probe.stood.get(source) == span[0]}
    probe = replace(probe, stood={source: span[0] for source, span in behind.items()})
    return probe, LookInto(still) if still else Wait()


def _behind(probe: Probe, positions: Mapping[Partition, int]) -> dict[Partition, Span]:
    spans = {source: (positions.get(source, 0), end) for source, end in probe.ends.items()}
    return {source: span for source, span in spans.items() if span[0] < span[1] and not _is_empty(probe, source, span)}


def _is_empty(probe: Probe, source: Partition, span: Span) -> bool:
    begin, end = probe.empty.get(source, (0, 0))
    return begin <= span[0] and span[1] <= end


def _next(probe: Probe) -> Decision:
    match probe.hop:
        case Hop.STAGE_1:
            return GoOn(Hop.STAGE_2)
        case Hop.STAGE_2:
            return GoOn(Hop.TABLES)
        case Hop.TABLES:
            return Reached(probe.asked_at)
        case _:
            assert_never(probe.hop)


def found_empty(probe: Probe, spans: Mapping[Partition, Span]) -> Probe:
    """Remember spans that hold no record; a log never gets one there afterwards."""
    return replace(probe, empty={**probe.empty, **spans})


def go_on(probe: Probe, hop: Hop, ends: Mapping[Partition, int]) -> Probe:
    """Wait for the next hop's reader to reach these ends."""
    return replace(probe, hop=hop, ends=dict(ends), stood={})
