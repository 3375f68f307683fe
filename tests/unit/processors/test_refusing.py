"""A stage refuses records up to a limit, and tells a replay of what it refused from one of another reader's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runledger.processors.fold import MAX_REJECTED, fold
from runledger.processors.records import Changes
from runledger.processors.state import PartitionState
from runledger.schemas.codec import EVENT_ID_HEADER, decode, encode
from runledger.schemas.dead_letter_limits import Limits, Refusals
from runledger.schemas.dead_letter_marks import LetterId, Replay
from runledger.schemas.dead_letters import original_headers
from runledger.schemas.snapshots import Position, RunSnapshot
from tests.unit.processors.logs import Logged, batch, event, record, run_of, run_stage, state_of

STAGE = run_stage()
KEY = f"p/{run_of(0)}".encode()


def poison(offset: int, event_id: bytes | None = None) -> Logged:
    return Logged(offset, 0, KEY, b"{", ((EVENT_ID_HEADER, event_id or b"bad-%d" % offset),))


def replayed(offset: int, of: int, reader: str = "runs", event_id: str = "e") -> Logged:
    """Log an event that was sent again."""
    logged = record(event("used", event_id=event_id), offset)
    marker = Replay(reader, LetterId("t.run-events", 3, of, 0)).header()
    return replace(logged, headers=(marker, *logged.headers))


def limited(in_a_row: int) -> PartitionState[RunSnapshot]:
    held = state_of(STAGE)
    held.limits = Limits(in_a_row)
    return held


def events_of(changes: Changes[RunSnapshot]) -> int | None:
    run = changes.snapshots.get(KEY)
    return run.events if isinstance(run, RunSnapshot) else None


def test_a_dead_letter_keeps_the_records_own_headers() -> None:
    headers = (("x", b"\xff\x00"), ("x", None), (EVENT_ID_HEADER, b"e"))
    (letter,) = fold(STAGE, state_of(STAGE), [batch([Logged(0, 7, KEY, b"{", headers)])]).outputs
    assert original_headers(letter.headers) == list(headers)


def test_what_stands_before_one_dead_letter_too_many_is_folded_and_nothing_after_it() -> None:
    held = limited(2)
    records = [record(event("used"), 0), *map(poison, range(1, 6)), record(event("used", event_id="f"), 6)]
    changes = fold(STAGE, held, [batch(records)])
    assert changes.excess is not None
    assert (changes.excess.offset, changes.next_offset, changes.refused) == (3, 3, [1, 2])
    assert events_of(changes) == 1


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_restart_stops_at_the_same_record_whatever_the_batches(size: int) -> None:
    held = limited(2)
    records = [record(event("used"), 0), *map(poison, range(1, 8))]
    for _ in range(5):
        for first in range(0, len(records), size):
            changes = fold(STAGE, held, [batch(records[first : first + size])])
            if changes.next_offset != held.next_offset:
                held.take(changes)
            if changes.excess is not None:
                break
        position = Position("runs", 3, held.next_offset, "id", 4, held.rejected, held.refusals)
        held.refusals = decode(Position, encode(position)).refusals
        assert (held.next_offset, held.refusals) == (3, Refusals(2, 3, 2))


def test_records_below_the_position_are_counted_once() -> None:
    held = limited(10)
    held.take(fold(STAGE, held, [batch([record(event("used", event_id="a"), 0), poison(1)])]))
    again = [record(event("used", event_id="a"), 0), poison(1)]
    assert fold(STAGE, held, [batch(again)]).refusals == held.refusals
    good = fold(STAGE, held, [batch([*again, record(event("used", event_id="b"), 2)])])
    assert good.refusals == Refusals(0, 3, 1)


def test_without_a_limit_everything_goes_and_one_good_record_ends_the_row() -> None:
    held = limited(0)
    held.take(fold(STAGE, held, [batch([poison(offset) for offset in range(50)])]))
    assert held.refusals.in_a_row == 50
    held.limits = Limits(2)
    assert fold(STAGE, held, [batch([poison(50)])]).excess is not None
    held.take(fold(STAGE, held, [batch([record(event("used"), 50), poison(51)])]))
    assert held.refusals.in_a_row == 1


def test_a_replay_of_a_refused_event_counts_though_its_id_was_taken() -> None:
    """Event ids of very many dead letters are taken (MAX_REJECTED); their replays count all the same, once."""
    held = limited(0)
    taken = MAX_REJECTED + 3
    records = [poison(offset, b"e" if offset == taken else None) for offset in range(taken + 1)]
    held.take(fold(STAGE, held, [batch(records)]))
    assert taken not in held.rejected
    repeat = fold(STAGE, held, [batch([record(event("used"), taken + 1)])])
    assert (repeat.duplicates, repeat.snapshots) == (1, {})
    changes = fold(STAGE, held, [batch([replayed(taken + 1, of=taken), record(event("used"), taken + 2)])])
    assert (changes.duplicates, events_of(changes)) == (1, 1)


def test_a_replay_of_an_event_that_was_mended_meanwhile_is_a_repeat() -> None:
    held = limited(9)
    held.take(fold(STAGE, held, [batch([poison(0, b"e"), record(event("used"), 1)])]))
    changes = fold(STAGE, held, [batch([replayed(2, of=0)])])
    assert (changes.duplicates, changes.snapshots) == (1, {})


def test_a_replay_for_another_reader_is_a_repeat_however_long_ago_it_counted() -> None:
    held = state_of(STAGE, window=3)
    held.take(fold(STAGE, held, [batch([record(event("used"), 0)])]))
    held.take(
        fold(STAGE, held, [batch([record(event("used", event_id=f"n{offset}"), offset) for offset in range(1, 9)])])
    )
    changes = fold(STAGE, held, [batch([replayed(9, of=0, reader="sink")])])
    assert (changes.duplicates, changes.snapshots) == (1, {})
