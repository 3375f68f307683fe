"""What a processor tells of its stores, also while one is lost in the midst of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from faust.types import TP
from prometheus_client.parser import text_string_to_metric_families

from runledger.processors.state import PartitionState
from runledger.processors.vital_signs import StoreSigns
from runledger.vitals import Keeper, VitalsSettings, kept_by

EVENTS, OUTCOMES = TP("t.run-events", 0), TP("t.run-outcomes", 0)


class Owner:
    """An owner whose store is lost after it was looked at so often."""

    def __init__(self, tp: TP, states: int, looks: int | None = None, *, assigned: bool = True) -> None:
        self.tp = tp
        self.assigned = assigned
        self.is_open = True
        self.restoring = (1, 0, 0)
        self._held: PartitionState[Any] = PartitionState(lambda _: None, 0)
        for number in range(states):
            self._held.put(b"%d" % number, number, 10)
        self._held.next_offset = 7
        self._looks = looks

    @property
    def held(self) -> PartitionState[Any] | None:
        if self._looks is not None:
            self._looks -= 1
            if self._looks < 0:
                return None
        return self._held

    @property
    def place(self) -> tuple[int, int] | None:
        return (self._held.next_offset, 1) if self.is_open else None


def signs(*owners: Owner) -> StoreSigns:
    found: Any = {owner.tp: owner for owner in owners}
    return StoreSigns(lambda: found, {EVENTS.topic: "runs", OUTCOMES.topic: "agents"})


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper("processor", VitalsSettings(metrics_port=None))
    with kept_by(keeper):
        yield keeper


def measured(keeper: Keeper, name: str) -> dict[str, float]:
    families = text_string_to_metric_families(keeper.meters.exposition().decode())
    return {it.labels["reader"]: it.value for family in families for it in family.samples if it.name == name}


def test_states_are_added_up_by_stage(keeper: Keeper) -> None:
    signs(Owner(EVENTS, 3), Owner(EVENTS._replace(partition=1), 2), Owner(OUTCOMES, 1)).measure()
    assert measured(keeper, "runledger_states") == {"runs": 5, "agents": 1}
    assert measured(keeper, "runledger_state_bytes") == {"runs": 50, "agents": 10}


@pytest.mark.parametrize("looks", [0, 1])
def test_a_store_that_is_lost_while_it_is_looked_at_fails_nobody(keeper: Keeper, looks: int) -> None:
    signs(Owner(EVENTS, 3, looks), Owner(OUTCOMES, 1)).measure()
    assert measured(keeper, "runledger_states") == {"runs": 3 * looks, "agents": 1}


def test_a_store_that_is_not_open_is_a_trouble_and_has_to_move() -> None:
    closed = Owner(EVENTS, 0)
    closed.is_open = False
    asked = signs(closed, Owner(OUTCOMES, 1))
    assert asked.troubles() == {"stores_not_open": "1 of 2 stores are not open"}
    assert [work.name for work in asked.works()] == ["store of t.run-events[0]"]
    assert asked.positions() == {tuple(OUTCOMES): 7}


def test_of_a_partition_that_is_not_ours_nothing_is_told() -> None:
    asked = signs(Owner(EVENTS, 3, assigned=False))
    assert (asked.troubles(), list(asked.works()), asked.positions()) == ({}, [], {})
