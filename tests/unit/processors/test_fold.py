"""Records become one transaction's changes, whatever the batches and whoever died on the way."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.dedupe import event_hash
from runledger.processors.fold import MAX_REJECTED, fold
from runledger.processors.records import Batch, Tombstone
from runledger.processors.state import PartitionState
from runledger.schemas import dead_letters
from runledger.schemas.codec import EVENT_ID_HEADER, decode, decode_event
from runledger.schemas.dead_letter_limits import Limits
from runledger.schemas.run_events import RunErased, RunTimedOut
from runledger.schemas.snapshots import RunSnapshot
from tests.unit.processors.logs import (
    START,
    Crash,
    Logged,
    ModelStore,
    batch,
    event,
    record,
    run_of,
    run_stage,
    state_of,
)

STAGE = run_stage()
KEY = f"p/{run_of(0)}".encode()


def poison(offset: int, value: bytes | None = b"{", event_id: bytes = b"bad", key: bytes = KEY) -> Logged:
    return Logged(offset, 0, key, value, ((EVENT_ID_HEADER, event_id),))


def test_fold_skips_what_lies_below_the_position() -> None:
    held = state_of(STAGE)
    held.next_offset = 2
    records = [record(event("used", event_id=f"u{offset}"), offset) for offset in range(4)]
    changes = fold(STAGE, held, [batch(records)])
    run = changes.snapshots[KEY]
    assert isinstance(run, RunSnapshot)
    assert (run.events, run.born_offset, run.version, changes.next_offset) == (2, 2, 4, 4)


def test_what_is_held_and_what_is_to_be_held_cannot_be_changed() -> None:
    held = state_of(STAGE)
    held.take(fold(STAGE, held, [batch([record(event("used", event_id="a"), 0)])]))
    run = held.states[KEY]
    changes = fold(STAGE, held, [batch([record(event("used", event_id=f"b{n}"), n) for n in (1, 2)])])
    assert held.states[KEY] is run
    assert run.events == 1
    changed = changes.snapshots[KEY]
    assert isinstance(changed, RunSnapshot)
    with pytest.raises(FrozenInstanceError):
        changed.events = 9  # type: ignore[misc]  # that is the point


def test_fold_of_a_batch_below_the_position_leaves_it_where_it_is() -> None:
    held = state_of(STAGE)
    held.next_offset = 9
    changes = fold(STAGE, held, [batch([record(event("used"), 3)])])
    assert (changes.next_offset, changes.snapshots, changes.outputs) == (9, {}, [])


def test_an_empty_batch_moves_the_position() -> None:
    changes = fold(STAGE, state_of(STAGE), [batch([], start=0, end=7)])
    assert changes
    assert (changes.next_offset, changes.snapshots) == (7, {})


def test_fold_changes_nothing_that_is_held() -> None:
    held = state_of(STAGE)
    fold(STAGE, held, [batch([record(event("used"), 0), poison(1)])])
    assert (held.next_offset, held.states, len(held.seen), held.rejected, held.last_logged_at) == (0, {}, 0, (), None)


def test_a_repeat_within_a_batch_counts_once() -> None:
    changes = fold(STAGE, state_of(STAGE), [batch([record(event("used"), 0), record(event("used"), 1)])])
    run = changes.snapshots[KEY]
    assert isinstance(run, RunSnapshot)
    assert (changes.duplicates, run.events) == (1, 1)


def test_a_repeat_in_a_later_batch_counts_once() -> None:
    held = state_of(STAGE)
    held.take(fold(STAGE, held, [batch([record(event("used"), 0)])]))
    changes = fold(STAGE, held, [batch([record(event("used"), 1)])])
    assert (changes.duplicates, changes.snapshots, changes.next_offset) == (1, {}, 2)


def test_a_repeat_beyond_the_window_counts_again() -> None:
    held = state_of(STAGE, window=5)
    held.take(fold(STAGE, held, [batch([record(event("used"), 0)])]))
    assert fold(STAGE, held, [batch([record(event("used"), 5)])]).duplicates == 1
    assert fold(STAGE, held, [batch([record(event("used"), 6)])]).duplicates == 0
    together = [record(event("used", event_id="n"), 7), record(event("used", event_id="n"), 13)]
    assert fold(STAGE, held, [batch(together)]).duplicates == 0


def test_the_same_event_id_in_another_run_is_no_repeat() -> None:
    changes = fold(STAGE, state_of(STAGE), [batch([record(event("used", 0), 0), record(event("used", 1), 1)])])
    assert (changes.duplicates, len(changes.snapshots)) == (0, 2)


def test_a_dead_letter_says_where_it_stood_and_why() -> None:
    changes = fold(STAGE, state_of(STAGE), [Batch("t.run-events", 3, [poison(17, b"{no")], 17, 18, 1)])
    (letter,) = changes.outputs
    assert (letter.topic, letter.key, letter.value, letter.partition) == ("t.dead-letters", KEY, b"{no", None)
    headers = dict(letter.headers)
    assert headers[dead_letters.REASON] == b"not_json"
    assert headers[dead_letters.TOPIC] == b"t.run-events"
    assert headers[dead_letters.PARTITION] == b"3"
    assert headers[dead_letters.OFFSET] == b"17"
    assert headers[dead_letters.READER] == b"runs"
    assert (len(changes.refused), changes.next_offset) == (1, 18)


def test_every_kind_of_poison_has_its_reason() -> None:
    good = record(event("used"), 0)
    wrong_key = Logged(4, 0, b"p/other", good.value)
    records = [poison(1, None), poison(2, b"{"), poison(3, b'{"type":"no"}'), wrong_key, poison(5, b"{}")]
    records.append(poison(6, b" " * 1_000_000))
    records.append(poison(7, (good.value or b"").replace(b"0.1", b"-1")))
    changes = fold(STAGE, state_of(STAGE), [batch(records)])
    reasons = [dict(letter.headers)[dead_letters.REASON] for letter in changes.outputs]
    assert reasons == [b"empty", b"not_json", b"unknown_type", b"wrong_key", b"unknown_type", b"too_large", b"invalid"]


def test_poison_too_large_for_a_dead_letter_is_cut() -> None:
    changes = fold(STAGE, state_of(STAGE), [batch([poison(0, b" " * 9_000_000)])])
    (letter,) = changes.outputs
    assert letter.value == b" " * dead_letters.MAX_VALUE_BYTES
    assert dict(letter.headers)[dead_letters.CUT_FROM_BYTES] == b"9000000"


def test_good_records_around_poison_count() -> None:
    records = [record(event("used", event_id="a"), 0), poison(1), record(event("used", event_id="b"), 2)]
    run = fold(STAGE, state_of(STAGE), [batch(records)]).snapshots[KEY]
    assert isinstance(run, RunSnapshot)
    assert (run.events, run.usage.input_tokens) == (2, 20)


def test_a_mended_event_counts_although_its_first_form_was_a_dead_letter() -> None:
    held = state_of(STAGE)
    held.take(fold(STAGE, held, [batch([poison(0, event_id=b"e")])]))
    assert held.rejected == (0,)
    changes = fold(STAGE, held, [batch([record(event("used"), 1), record(event("used"), 2)])])
    assert (changes.duplicates, len(changes.snapshots)) == (1, 1)


def test_poison_that_repeats_a_good_event_is_a_repeat() -> None:
    changes = fold(STAGE, state_of(STAGE), [batch([record(event("used"), 0), poison(1, event_id=b"e")])])
    assert (changes.duplicates, len(changes.refused)) == (1, 0)


def test_event_ids_of_very_many_dead_letters_are_taken() -> None:
    held = state_of(STAGE)
    held.limits = Limits(in_a_row=0)
    count = MAX_REJECTED + 5
    held.take(fold(STAGE, held, [batch([poison(n, event_id=b"%d" % n) for n in range(count)])]))
    assert len(held.rejected) == MAX_REJECTED
    again = [poison(count + n, event_id=b"%d" % n) for n in range(count)]
    changes = fold(STAGE, held, [batch(again)])
    assert (len(changes.refused), changes.duplicates) == (MAX_REJECTED, 5)


def test_erasure_and_a_new_birth_in_one_batch() -> None:
    erased = RunErased.model_validate(event("beat", event_id="x").model_dump() | {"type": "runledger.run.erased.v1"})
    held = state_of(STAGE)
    held.take(fold(STAGE, held, [batch([record(event("used", event_id="a"), 0)])]))
    assert fold(STAGE, held, [batch([record(erased, 1)])]).snapshots == {KEY: Tombstone("erased")}
    born = fold(STAGE, held, [batch([record(erased, 1), record(event("used", event_id="b"), 2)])]).snapshots[KEY]
    assert isinstance(born, RunSnapshot)
    assert (born.born_offset, born.events) == (2, 1)


@pytest.mark.parametrize("behind", [[], ["b"]], ids=["alone", "heard_of_again"])
def test_an_erased_run_has_its_tombstone_whatever_follows_in_its_batch(behind: list[str]) -> None:
    erased = RunErased.model_validate(event("beat", event_id="x").model_dump() | {"type": "runledger.run.erased.v1"})
    held = state_of(STAGE)
    held.take(fold(STAGE, held, [batch([record(event("used", event_id="a"), 0)])]))
    later = [record(event("used", event_id=name), offset) for offset, name in enumerate(behind, 2)]
    changes = fold(STAGE, held, [batch([record(erased, 1), *later])])
    assert changes.erased == {KEY}


def test_the_partitions_clock_is_the_latest_log_time_of_a_batch() -> None:
    """A broker's clock may be set back between two records."""
    times = [START, START + timedelta(seconds=90), START + timedelta(seconds=10)]
    records = [record(event("beat", event_id=f"b{offset}"), offset, at) for offset, at in enumerate(times)]
    assert fold(STAGE, state_of(STAGE), [batch(records)]).last_logged_at == START + timedelta(seconds=90)


KINDS = st.sampled_from(["started", "used", "used", "ended", "recorded", "beat", "poison"])


@dataclass(frozen=True)
class Step:
    """Something happens: events are logged, all is folded, or time passes."""

    kind: str
    run: int
    event_id: str
    seconds: int
    sizes: tuple[int, ...]
    crashes: tuple[Crash, ...]


CRASHES = st.sampled_from(["none", "before", "after"])
STEPS = st.lists(
    st.builds(
        Step,
        kind=st.one_of(KINDS, KINDS, st.sampled_from(["fold", "tick"])),
        run=st.integers(0, 2),
        event_id=st.sampled_from("abcdef"),
        seconds=st.sampled_from([2, 2, 30, 70, 110, 400]),
        sizes=st.lists(st.integers(1, 4), max_size=4).map(tuple),
        crashes=st.lists(CRASHES, max_size=4).map(tuple),
    ),
    max_size=40,
)
WINDOWS = st.sampled_from([2_000, 5_000, 100_000])
SPACE = 1000
"""Offsets between events: room for timeouts, so that one asked for twice moves no other record."""


def play(steps: list[Step], window: int, *, dying: bool) -> ModelStore[RunSnapshot]:
    """Let it all happen to a store; `dying` processes fold in small batches and die where the steps say."""
    store = ModelStore(STAGE, window)
    now = START
    for number, step in enumerate(steps):
        now += timedelta(seconds=step.seconds)
        offset = SPACE * number
        if step.kind == "fold":
            store.fold_all(now, *((step.sizes, step.crashes) if dying else ()))
        elif step.kind == "tick":
            store.tick(now, step.crashes[0] if dying and step.crashes else "none")
        elif step.kind == "poison":
            store.log.append(poison(offset, event_id=step.event_id.encode(), key=f"p/{run_of(step.run)}".encode()))
        else:
            # A poison's id and an event's id are the same text: either may come first.
            store.log.append(record(event(step.kind, step.run, step.event_id, second=number), offset, now))
    store.fold_all(now)
    return store


@given(STEPS, WINDOWS)
def test_deaths_and_batches_change_nothing(steps: list[Step], window: int) -> None:
    once, often = play(steps, window, dying=False), play(steps, window, dying=True)
    assert told(often.held.states) == told(once.held.states)
    assert {key: decode(RunSnapshot, value) for key, value in often.changelog.items()} == often.held.states
    assert often.outputs == once.outputs


def told(states: dict[bytes, RunSnapshot]) -> dict[bytes, RunSnapshot]:
    """States with a timeout's offset told to the event before it; every other version stays exact.

    A timeout asked for twice stands twice in the log, and moves the next one by a place.
    """
    return {key: replace(state, version=state.version - (state.version - 1) % SPACE) for key, state in states.items()}


@given(STEPS, WINDOWS)
def test_what_is_restored_is_what_was_held(steps: list[Step], window: int) -> None:
    store = play(steps, window, dying=False)
    states, rejected, next_offset = store.held.states, store.held.rejected, store.held.next_offset
    store.open()
    assert (store.held.states, store.held.rejected, store.held.next_offset) == (states, rejected, next_offset)
    assert {key: decode(RunSnapshot, value) for key, value in store.changelog.items()} == states


@given(st.lists(st.tuples(KINDS, st.integers(0, 2), st.sampled_from("abcd")), min_size=1, max_size=30), st.data())
def test_any_split_into_batches_folds_the_same(drawn: list[tuple[str, int, str]], data: st.DataObject) -> None:
    records = [
        poison(offset, event_id=event_id.encode()) if kind == "poison" else record(event(kind, run, event_id), offset)
        for offset, (kind, run, event_id) in enumerate(drawn)
    ]
    window = data.draw(st.sampled_from([0, 1, 3, 100]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(records)))) | {0, len(records)})
    pieces = [batch(records[begin:end]) for begin, end in pairwise(cuts)]
    whole, together, split = (state_of(STAGE, window) for _ in range(3))
    at_once = fold(STAGE, whole, [batch(records)])
    whole.take(at_once)
    together.take(fold(STAGE, together, pieces))
    outputs = []
    for piece in pieces:
        changes = fold(STAGE, split, [piece])
        outputs += changes.outputs
        split.take(changes)
    assert outputs == at_once.outputs
    for other in (together, split):
        assert (other.states, other.rejected, other.next_offset) == (whole.states, whole.rejected, whole.next_offset)
        assert other.last_logged_at == whole.last_logged_at
        assert seen_of(other, records) == seen_of(whole, records)


def seen_of(held: PartitionState[RunSnapshot], records: list[Logged]) -> list[bool]:
    """Tell of each record whether its event would be a repeat right behind them all."""
    hashes = [event_hash(logged.key, logged.value, logged.headers) or 0 for logged in records]
    return [held.seen.reaches(held.seen.last(known), len(records)) for known in hashes]


def test_timeouts_of_one_look_stand_in_the_same_order_after_a_restart() -> None:
    """A process that lived has filed a run by its first event, one that was restarted by its last."""
    events = [event("started", 0, "a"), event("started", 1, "b"), event("beat", 0, "c")]
    lived, restarted = ModelStore(STAGE, 100_000), ModelStore(STAGE, 100_000)
    for store in (lived, restarted):
        store.log = [record(told, offset, START + timedelta(seconds=5 * offset)) for offset, told in enumerate(events)]
        store.fold_all(START, [1, 1, 1])
    restarted.open()
    for store in (lived, restarted):
        store.tick(START + timedelta(seconds=100))
    assert len(lived.log) == 5
    assert [logged.key for logged in restarted.log] == [logged.key for logged in lived.log]


def test_timeouts_asked_for_again_after_a_death_end_a_run_once() -> None:
    store = ModelStore(STAGE, 100_000)
    store.log.append(record(event("started"), 0, START))
    store.fold_all(START)
    late = START + timedelta(seconds=61)
    store.tick(late, "after")
    asked = [decode_event(logged.value) for logged in store.log[1:]]
    assert [type(found) for found in asked] == [RunTimedOut, RunTimedOut]
    assert asked[0].event_id == asked[1].event_id
    assert store.log[1].offset == 1
    assert store.log[1].headers == store.log[2].headers
    store.fold_all(late)
    run = store.held.states[KEY]
    assert (run.status, run.inferred, run.outcome_revision) == ("interrupted", True, 1)
    assert len(store.outputs) == 1
