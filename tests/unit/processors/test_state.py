"""Memory takes over what a transaction committed, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from runledger.processors.fold import tick
from runledger.processors.records import Changes, Tombstone
from runledger.processors.state import PartitionState
from runledger.schemas.snapshots import RunSnapshot
from tests.unit.processors.logs import START, ModelStore, event, record, run_of, run_stage, state_of

STAGE = run_stage()
KEY = f"p/{run_of(0)}".encode()


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def held_run(version: int = 5, logged_at: datetime = START) -> RunSnapshot:
    return RunSnapshot("p", run_of(0), version - 1, version, logged_at)


def keys_due(held: PartitionState[RunSnapshot], now: datetime) -> list[bytes]:
    return list(held.timers.due(now, 10))


def test_take_holds_states_and_moves_the_position() -> None:
    held = state_of(STAGE)
    run = held_run()
    held.take(Changes(next_offset=6, snapshots={KEY: run}, seen={1: 5}, last_logged_at=START))
    assert (held.states, held.next_offset, held.last_logged_at) == ({KEY: run}, 6, START)
    assert held.seen.repeats(1, 6)
    assert keys_due(held, after(60)) == [KEY]


def test_take_of_a_tick_leaves_the_position() -> None:
    held = state_of(STAGE)
    held.take(Changes(next_offset=6))
    held.take(Changes(asked={KEY: 5}))
    assert (held.next_offset, held.asked) == (6, {KEY: 5})


def test_take_drops_what_has_a_tombstone() -> None:
    held = state_of(STAGE)
    held.put(KEY, held_run())
    held.asked[KEY] = 5
    held.take(Changes(snapshots={KEY: Tombstone("evicted"), b"never held": Tombstone("erased")}))
    assert (held.states, held.asked) == ({}, {})


def test_a_new_state_forgets_that_a_timeout_was_asked_for() -> None:
    held = state_of(STAGE)
    held.take(Changes(asked={KEY: 5}))
    held.take(Changes(snapshots={KEY: held_run(6)}))
    assert held.asked == {}


def test_the_partitions_clock_never_goes_back() -> None:
    held = state_of(STAGE)
    held.saw(after(5))
    held.saw(after(3))
    assert held.last_logged_at == after(5)


def test_refile_comes_up_a_second_later_at_the_earliest() -> None:
    held = state_of(STAGE)
    held.states[KEY] = held_run()
    held.refile([KEY, b"gone"], after(100))
    assert keys_due(held, after(100.9)) == []
    assert keys_due(held, after(101)) == [KEY]


def test_a_stage_without_deadlines_files_nothing() -> None:
    held: PartitionState[RunSnapshot] = PartitionState(lambda _: None, 10)
    held.put(KEY, held_run())
    assert keys_due(held, after(10**6)) == []


def test_rejected_offsets_leave_with_the_window() -> None:
    held = state_of(STAGE, window=10)
    held.take(Changes(next_offset=6, rejected=[3, 5]))
    assert held.rejected == (3, 5)
    held.take(Changes(next_offset=14, rejected=[13]))
    assert held.rejected == (5, 13)
    held.take(Changes(asked={KEY: 1}))
    assert held.rejected == (5, 13)


def test_a_tick_that_was_not_committed_comes_up_again() -> None:
    store = ModelStore(STAGE, 100)
    store.log.append(record(event("started"), 0, START))
    store.fold_all(START)
    lost, came_up = tick(STAGE, store.held, after(60), 3, 10)
    store.held.refile(came_up, after(60))
    again, _ = tick(STAGE, store.held, after(61), 3, 10)
    assert lost.outputs == again.outputs
    assert len(again.outputs) == 1
