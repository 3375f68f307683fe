"""How the logs grew lately, noted at each look at the broker."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from runledger.analytics.dashboard.backstage import BrokerLook, Partition

KEPT_SECONDS = 15 * 60.0
LOOKS_KEPT_SECONDS = 120.0
_SPACING_SECONDS = 4.0
_RATE_SECONDS = 30.0
_LEAST_SECONDS = 1.5
_GAP_SECONDS = 60.0
"""Between two notes farther apart nobody knows how a log grew."""


@dataclass(frozen=True, slots=True)
class _Note:
    """Ends of all partitions of each topic, added up, at a time."""

    at: float
    sums: Mapping[str, int]


class Course:
    """Notes are made in one thread and read in another: each is a new tuple, and none is ever changed."""

    def __init__(self) -> None:
        self._notes: tuple[_Note, ...] = ()
        self._looks: tuple[tuple[float, BrokerLook], ...] = ()

    def note(self, at: float, look: BrokerLook) -> None:
        """Note a look.

        Args:
            at: when it began, in seconds that only grow.
            look: what it saw.
        """
        sums: dict[str, int] = {}
        for (topic, _), end in look.ends.items():
            sums[topic] = sums.get(topic, 0) + end
        kept = [one for one in self._notes if at - one.at <= KEPT_SECONDS]
        if len(kept) > 1 and at - kept[-2].at < _SPACING_SECONDS:
            kept.pop()  # looks may come often: the newest counts, and those between add nothing
        self._notes = (*kept, _Note(at, sums))
        self._looks = (*((then, seen) for then, seen in self._looks if at - then <= LOOKS_KEPT_SECONDS), (at, look))

    def rate(self, topic: str) -> float | None:
        """Records a second that a topic took lately, markers of transactions included; None where nobody knows yet."""
        notes = self._notes
        if not notes:
            return None
        now = notes[-1]
        since = next((one for one in notes if now.at - one.at <= _RATE_SECONDS), now)
        return _rate(since, now, topic)

    def curve(self, topic: str, places: int, seconds: float) -> list[float | None]:
        """Records a second in the last so many spans of time, the oldest first; None where nobody looked.

        Args:
            topic: suffix of its name.
            places: how many spans.
            seconds: how long each is.
        """
        notes = self._notes
        if not notes:
            return [None] * places
        ends = [_end_at(notes, notes[-1].at - seconds * back, topic) for back in range(places, -1, -1)]
        return [
            (after - before) / seconds if before is not None and after is not None and after >= before else None
            for before, after in pairwise(ends)
        ]

    def ends_before(self, at: float) -> Mapping[Partition, int]:
        """Where logs ended at the latest look at or before a time; empty where none is known."""
        return next((look.ends for then, look in reversed(self._looks) if then <= at), {})

    def stood(self, worker: str, partition: Partition, seconds: float) -> bool:
        """Tell whether every look says that a reader has stood at one place for so long, or longer."""
        looks = self._looks
        since = next((then for then, _ in reversed(looks) if then <= looks[-1][0] - seconds), None)
        if since is None:
            return False
        return len({look.stands.get(worker, {}).get(partition) for then, look in looks if then >= since}) == 1


def _rate(since: _Note, now: _Note, topic: str) -> float | None:
    passed = now.at - since.at
    before, after = since.sums.get(topic), now.sums.get(topic)
    if passed < _LEAST_SECONDS or before is None or after is None or after < before:
        return None
    return (after - before) / passed


def _end_at(notes: tuple[_Note, ...], at: float, topic: str) -> float | None:
    """Where a topic ended at a time, between two notes in proportion; None where it is not known."""
    place = bisect_left(notes, at, key=lambda note: note.at)
    if place == len(notes):
        return None
    after = notes[place]
    if after.at == at or place == 0:
        return after.sums.get(topic) if after.at == at else None
    before = notes[place - 1]
    low, high = before.sums.get(topic), after.sums.get(topic)
    if after.at - before.at > _GAP_SECONDS or low is None or high is None:
        return None
    return low + (high - low) * (at - before.at) / (after.at - before.at)
