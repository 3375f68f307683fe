"""Which states leave memory before their time, so that those held stay within their bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from runledger.processors.state import PartitionState

S = TypeVar("S")

_LOW_WATER = 0.9
"""Room is made down to this share of the bound, so that one look through all states serves many ticks."""
_LOOK_AGAIN = timedelta(seconds=30)
"""Pause after a look that did not find enough: what settles meanwhile is found by the next one."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Decision: these states go, and if there are not enough of them, so many bytes are held beyond the bound."""

    keys: tuple[bytes, ...] = ()
    excess_bytes: int = 0


def choose(
    states: Mapping[bytes, S], sizes: Mapping[bytes, int], too_many: int, settled_at: Callable[[S], datetime | None]
) -> list[tuple[datetime, bytes]]:
    """Choose the longest settled states that make up so many bytes, or all settled ones; the longest settled first.

    Args:
        states: by key.
        sizes: {key: bytes of its encoded state}.
        too_many: bytes to make room for.
        settled_at: log time since which a state may go; None where it must stay.
    """
    settled = [(at, key) for key, state in states.items() if (at := settled_at(state)) is not None]
    settled.sort()
    chosen: list[tuple[datetime, bytes]] = []
    for at, key in settled:
        if too_many <= 0:
            break
        chosen.append((at, key))
        too_many -= sizes.get(key, 0)
    return chosen


class Surplus:
    """Decides tick by tick what leaves one partition's memory early.

    Args:
        most_bytes: bound for the partition's encoded states.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._chosen: list[tuple[datetime, bytes]] = []
        """The longest settled last: they are taken from the end."""
        self._rests_until: datetime | None = None

    def decide(
        self, held: PartitionState[S], settled_at: Callable[[S], datetime | None], now: datetime, most: int
    ) -> Leaving:
        """Decide what goes now, at most so many.

        Args:
            held: what is in memory.
            settled_at: log time since which a state may go; None where it must stay.
            now: the partition's clock.
            most: how many states may go at once.
        """
        excess_bytes = 0
        if not self._chosen:
            if held.held_bytes <= self._most_bytes or (self._rests_until is not None and now < self._rests_until):
                return Leaving()
            excess_bytes = self._look(held, settled_at)
            self._rests_until = now + _LOOK_AGAIN if excess_bytes else None
        keys: list[bytes] = []
        while self._chosen and len(keys) < most:
            at, key = self._chosen.pop()
            state = held.states.get(key)
            if state is not None and settled_at(state) == at:  # else it moved since it was chosen
                keys.append(key)
        return Leaving(tuple(keys), excess_bytes)

    def _look(self, held: PartitionState[S], settled_at: Callable[[S], datetime | None]) -> int:
        """Choose what goes; return how many bytes stay above the bound even then."""
        target = int(self._most_bytes * _LOW_WATER)
        chosen = choose(held.states, held.sizes, held.held_bytes - target, settled_at)
        self._chosen = chosen[::-1]
        rest = held.held_bytes - sum(held.sizes.get(key, 0) for _, key in chosen)
        return max(0, rest - self._most_bytes)
