"""An order to forget an agent: stage 2 writes the tombstone, and the agent may begin anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runledger.processors.agent_stage import AgentStage
from runledger.processors.fold import Stage, fold
from runledger.processors.records import ERASED, Changes
from runledger.processors.state import PartitionState
from runledger.schemas.dead_letters import REASON
from runledger.schemas.snapshots import AgentHealth
from tests.unit.processors.logs import SETTINGS, Logged, batch, state_of
from tests.unit.processors.test_agent_stage import KEY, outcome, record

STAGE: Stage[AgentHealth] = AgentStage(SETTINGS)


def _order(offset: int, key: bytes | None = KEY, reason: bytes | None = b"erased") -> Logged:
    return replace(Logged(offset, 0, key, None), headers=[(REASON, reason)])


def _folded(held: PartitionState[AgentHealth], records: list[Logged]) -> Changes[AgentHealth]:
    changes = fold(STAGE, held, [batch(records)])
    held.take(changes)
    return changes


def test_an_order_writes_the_tombstone_and_memory_forgets() -> None:
    held = state_of(STAGE)
    _folded(held, [record(0, outcome(1))])
    changes = _folded(held, [_order(1)])
    assert changes.snapshots == {KEY: ERASED}
    assert KEY not in held.states


def test_an_order_for_an_agent_that_is_not_known_writes_the_tombstone_all_the_same() -> None:
    assert _folded(state_of(STAGE), [_order(0)]).snapshots == {KEY: ERASED}


def test_an_agent_that_is_heard_of_again_begins_anew_behind_its_tombstone() -> None:
    held = state_of(STAGE)
    _folded(held, [record(number, outcome(number)) for number in range(3)])
    changes = _folded(held, [_order(3), record(4, outcome(9))])
    assert changes.erased == {KEY}
    assert (held.states[KEY].finished_runs, held.states[KEY].consecutive_failure_count) == (1, 1)
    assert held.states[KEY].incidents == ()


@pytest.mark.parametrize(
    ("key", "reason"), [(KEY, b"evicted"), (KEY, None), (None, b"erased"), (b"no-agent", b"erased")]
)
def test_what_is_no_order_goes_to_dead_letters(key: bytes | None, reason: bytes | None) -> None:
    changes = _folded(state_of(STAGE), [_order(0, key, reason)])
    assert changes.refused == [0]
    assert changes.snapshots == {}
