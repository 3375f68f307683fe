"""Memory takes over what a transaction committed, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from runledger.processors.fold import fold, tick
from runledger.processors.records import Changes, Tombstone
from runledger.processors.state import PartitionState
from runledger.schemas.snapshots import RunSnapshot
from tests.unit.processors.logs import START, ModelStore, batch, event, record, run_of, run_stage, state_of

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
    assert held.seen.reaches(held.seen.last(1), 6)
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


def test_the_clock_is_how_far_the_partition_has_been_read() -> None:
    held = state_of(STAGE)
    assert held.now(None) is None
    assert held.now(after(9)) == after(9)
    held.saw(after(5))
    assert held.now(None) == after(5)
    assert held.now(after(9)) == after(9)
    assert held.now(after(3)) == after(5)


def test_an_idle_partition_gives_up_its_run_by_the_walls_clock() -> None:
    """An empty answer to a fetch is the pulse: no record has to come for time to pass."""
    store = ModelStore(STAGE, 100)
    store.log.append(record(event("started"), 0, START))
    store.fold_all(START)
    now = store.held.now(after(60))
    assert now is not None
    store.tick(now)
    assert len(store.log) == 2


def test_whoever_lags_gives_nobody_up_for_events_he_has_not_read() -> None:
    """Two hours of heartbeats wait unread; each of them is younger than the deadline."""
    store = ModelStore(STAGE, 100_000)
    store.log.append(record(event("started"), 0, START))
    store.fold_all(START)
    beats = [record(event("beat", event_id=f"b{number}"), number, after(50 * number)) for number in range(1, 145)]
    store.log += beats
    while store.unread():
        now = store.held.now(None)
        assert now == store.held.last_logged_at
        store.tick(now or START)
        changes = fold(STAGE, store.held, [batch(store.unread()[:7], start=store.held.next_offset)])
        store.commit(changes, after(7200))
    store.tick(after(7200))
    assert store.log == [store.log[0], *beats]
    store.tick(after(7260))
    assert len(store.log) == 146


def test_a_heartbeat_that_is_logged_but_not_read_makes_the_timeout_void() -> None:
    """The fetch that found nothing was a moment old: the log's order decides, not who was faster."""
    store = ModelStore(STAGE, 100_000)
    store.log.append(record(event("started"), 0, START))
    store.fold_all(START)
    store.log.append(record(event("beat", event_id="b"), 1, after(59)))
    store.tick(after(60))
    assert len(store.log) == 3
    store.fold_all(after(60))
    assert (store.held.states[KEY].status, store.outputs) == ("running", [])
    store.tick(after(118))
    assert len(store.log) == 3
    store.tick(after(119))
    assert len(store.log) == 4


def test_held_bytes_follow_every_change() -> None:
    held = state_of(STAGE)
    held.take(Changes(snapshots={KEY: held_run(), b"p/b": held_run()}, sizes={KEY: 10, b"p/b": 5}))
    held.take(Changes(snapshots={KEY: held_run(6)}, sizes={KEY: 12}))
    assert held.held_bytes == 17
    held.take(Changes(snapshots={KEY: Tombstone("evicted"), b"never held": Tombstone("erased")}))
    assert (held.held_bytes, held.sizes) == (5, {b"p/b": 5})
    held.take(Changes(snapshots={KEY: held_run(9)}, sizes={KEY: 11}))
    assert held.held_bytes == 16


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
