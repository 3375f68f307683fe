"""What the processor tells of its stores when it is asked, from another thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from faust.types import TP

from runledger.processors.owner import PartitionOwner
from runledger.vitals import Partition, Watched, Work, put
from runledger.vitals.metrics import STATE_BYTES, STATES


class StoreSigns(Watched):
    """How the stores do.

    Args:
        owners: gives {partition: owner} as they are.
        stages: {source topic: name of its stage}.
    """

    def __init__(self, owners: Callable[[], Mapping[TP, PartitionOwner[Any]]], stages: Mapping[str, str]) -> None:
        self._owners = owners
        self._stages = stages

    def _assigned(self) -> list[PartitionOwner[Any]]:
        return [owner for owner in list(self._owners().values()) if owner.assigned]

    def works(self) -> Iterable[Work]:
        """Have each store opened, step by step."""
        for owner in self._assigned():
            if not owner.is_open:
                yield Work(f"store of {owner.tp.topic}[{owner.tp.partition}]", owner.restoring)

    def positions(self) -> Mapping[Partition, int]:
        """Where the open stores stand."""
        places = ((owner.tp, owner.place) for owner in self._assigned())
        return {(tp.topic, tp.partition): place[0] for tp, place in places if place is not None}

    def troubles(self) -> Mapping[str, str]:
        """Tell of stores that are not open."""
        assigned = self._assigned()
        closed = sum(not owner.is_open for owner in assigned)
        return {"stores_not_open": f"{closed} of {len(assigned)} stores are not open"} if closed else {}

    def measure(self) -> None:
        """Add up what the open stores hold."""
        for stage in self._stages.values():
            mine = (owner.held for owner in self._assigned() if self._stages[owner.tp.topic] == stage)
            held = [it for it in mine if it is not None]  # each asked for once: a store may be lost meanwhile
            put(STATES, sum(len(it.states) for it in held), stage)
            put(STATE_BYTES, sum(it.held_bytes for it in held), stage)
