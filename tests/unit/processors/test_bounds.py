"""What leaves memory early: the longest settled first, only as many as needed, and never what is not settled."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.bounds import choose
from runledger.processors.fold import Stage, fold, tick
from runledger.processors.records import Changes, Tombstone
from runledger.processors.state import PartitionState
from runledger.schemas.codec import encode
from runledger.schemas.snapshots import RunSnapshot
from tests.unit.processors.logs import PARTITION, START, ModelStore, batch, event, record, run_of, run_stage

STAGE: Stage[RunSnapshot] = run_stage(run_deadline_seconds=10_000, ended_retention_seconds=10_000)
SIZE = len(encode(RunSnapshot("p", run_of(0), 0, 1, START)))


def key_of(run: int) -> bytes:
    return f"p/{run_of(run)}".encode()


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def store_of(state_bytes: int) -> ModelStore[RunSnapshot]:
    return ModelStore(STAGE, 100_000, state_bytes)


def log(store: ModelStore[RunSnapshot], *told: tuple[str, int]) -> None:
    """Log (kind, run), one a second, and fold them."""
    for kind, run in told:
        offset = store.log[-1].offset + 1 if store.log else 0
        store.log.append(record(event(kind, run, f"{kind}{offset}"), offset, after(offset)))
    store.fold_all(after(len(store.log)))


def evicted(store: ModelStore[RunSnapshot], now: datetime) -> set[bytes]:
    before = set(store.held.states)
    store.tick(now)
    return before - set(store.held.states)


def test_held_bytes_are_those_of_the_changelog() -> None:
    store = store_of(10**9)
    log(store, ("started", 0), ("ended", 0), ("started", 1), ("used", 1))
    assert store.held.held_bytes == sum(len(value) for value in store.changelog.values())
    store.open()
    assert store.held.held_bytes == sum(len(value) for value in store.changelog.values())
    assert evicted(store, after(10_001 + 1)) == {key_of(0)}
    assert store.held.held_bytes == sum(len(value) for value in store.changelog.values())


def test_below_the_bound_nothing_leaves_early() -> None:
    store = store_of(100_000)
    log(store, ("recorded", 0), ("started", 1), ("ended", 1))
    assert evicted(store, after(50)) == set()


def test_the_longest_settled_leave_first_and_no_more_than_needed() -> None:
    store = store_of(10**9)
    log(store, *((kind, run) for run in range(10) for kind in ("started", "ended")))
    log(store, ("beat", 0))  # settled anew: now the last to go
    store.held.surplus = store_of(int(store.held.held_bytes * 0.99)).held.surplus
    left = evicted(store, after(50))
    assert left == {key_of(1), key_of(2)}
    assert store.held.held_bytes <= 0.99 * 0.9 * (store.held.held_bytes * 10 / 8) + SIZE
    assert evicted(store, after(51)) == set()
    assert set(store.changelog) == set(store.held.states)


def test_a_tombstone_says_that_the_run_was_evicted() -> None:
    store = store_of(1)
    log(store, ("started", 0), ("ended", 0))
    changes, _ = tick(STAGE, store.held, after(5), PARTITION, 10)
    assert changes.snapshots == {key_of(0): Tombstone("evicted")}
    assert (changes.evicted_early, changes.excess_bytes, bool(changes)) == (1, 0, True)


def test_what_goes_on_or_waits_for_its_agent_stays_whatever_the_bound() -> None:
    store = store_of(1)
    nameless = event("ended", 1).model_copy(update={"agent_id": None})
    store.log.append(record(nameless, 0))
    store.fold_all(START)
    log(store, ("started", 0))
    changes, _ = tick(STAGE, store.held, after(5), PARTITION, 10)
    assert changes.snapshots == {}
    assert changes.excess_bytes == store.held.held_bytes - 1
    assert len(store.held.states) == 2


def test_it_says_again_that_the_bound_is_passed_but_not_at_every_tick() -> None:
    store = store_of(1)
    log(store, ("started", 0))
    said = []
    for second in range(5, 70, 5):
        changes, _ = tick(STAGE, store.held, after(second), PARTITION, 10)
        said.append(changes.excess_bytes > 0)
    assert said.count(True) == 3


def test_what_settles_meanwhile_leaves_at_the_next_look() -> None:
    store = store_of(1)
    log(store, ("started", 0))
    assert evicted(store, after(5)) == set()
    log(store, ("ended", 0))
    assert evicted(store, after(6)) == set()
    assert evicted(store, after(36)) == {key_of(0)}


def test_a_run_that_moved_since_it_was_chosen_stays() -> None:
    store = store_of(10**9)
    log(store, ("started", 0), ("ended", 0), ("started", 1), ("ended", 1))
    store.held.surplus = store_of(1).held.surplus
    first = store.held.surplus.decide(store.held, STAGE.settled_at, after(5), 1)
    assert first.keys == (key_of(0),)
    log(store, ("beat", 1))
    assert store.held.surplus.decide(store.held, STAGE.settled_at, after(6), 1).keys == ()


def test_a_late_event_of_a_run_that_left_early_is_a_new_birth() -> None:
    store = store_of(1)
    log(store, ("started", 0), ("ended", 0))
    assert evicted(store, after(5)) == {key_of(0)}
    log(store, ("used", 0))
    run = store.held.states[key_of(0)]
    assert (run.born_offset, run.status, run.events) == (2, "running", 1)


def test_nothing_stays_filed_of_what_left_early() -> None:
    """Else the bound would only move memory from the states to the timers."""
    held = PartitionState(STAGE.due_at, 0, state_bytes=1)
    for first in range(0, 20_000, 1000):
        records = [record(event("recorded", run, "e"), run) for run in range(first, first + 1000)]
        held.take(fold(STAGE, held, [batch(records)]))
        held.take(Changes(snapshots=dict.fromkeys(list(held.states), Tombstone("evicted"))))
    assert len(held.timers) < 2500


@given(st.lists(st.tuples(st.none() | st.integers(0, 9), st.integers(1, 50))), st.integers(-10, 500))
def test_choose_takes_the_oldest_until_there_is_room(rows: list[tuple[int | None, int]], too_many: int) -> None:
    states = {b"%d" % number: settled for number, (settled, _) in enumerate(rows)}
    sizes = {b"%d" % number: size for number, (_, size) in enumerate(rows)}
    chosen = choose(states, sizes, too_many, lambda settled: None if settled is None else after(settled))
    keys = [key for _, key in chosen]
    freed = [sizes[key] for key in keys]
    settled = {key for key, value in states.items() if value is not None}
    assert set(keys) <= settled
    assert sum(freed[:-1]) < max(too_many, 1)
    assert sum(freed) >= too_many or set(keys) == settled
    stay = settled - set(keys)
    assert not stay or not keys or max(states[key] or 0 for key in keys) <= min(states[key] or 0 for key in stay)
