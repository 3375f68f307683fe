"""The probe against a naive pipeline: it comes through when, and only when, everything has been read."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from runledger.watch.probe import (
    GiveUp,
    GoOn,
    Hop,
    LookInto,
    Partition,
    Probe,
    Reached,
    Wait,
    found_empty,
    go_on,
    look,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
A: Partition = ("run-events", 0)
B: Partition = ("run-events", 1)


def begin(ends: dict[Partition, int], hop: Hop = Hop.STAGE_1) -> Probe:
    return Probe(AT, give_up_at=100.0, ends=ends, hop=hop)


def test_look_goes_hop_by_hop_and_then_has_reached_the_moment() -> None:
    assert look(begin({A: 3}), {A: 3}, 0)[1] == GoOn(Hop.STAGE_2)
    assert look(begin({A: 3}, Hop.STAGE_2), {A: 4}, 0)[1] == GoOn(Hop.TABLES)
    assert look(begin({A: 3}, Hop.TABLES), {A: 3}, 0)[1] == Reached(AT)


def test_look_takes_logs_without_records_as_read_by_nobody() -> None:
    assert look(begin({A: 0, B: 0}), {}, 0)[1] == GoOn(Hop.STAGE_2)


def test_look_waits_while_a_position_moves() -> None:
    probe, decision = look(begin({A: 9}), {A: 3}, 0)
    assert decision == Wait()
    probe, decision = look(probe, {A: 5}, 0)
    assert decision == Wait()


def test_look_asks_what_lies_behind_a_position_that_stands_still() -> None:
    probe, _ = look(begin({A: 9, B: 9}), {A: 3, B: 8}, 0)
    probe, decision = look(probe, {A: 4, B: 8}, 0)
    assert decision == LookInto({B: (8, 9)})
    probe, decision = look(found_empty(probe, {B: (8, 9)}), {A: 9, B: 8}, 0)
    assert decision == GoOn(Hop.STAGE_2)


def test_look_asks_again_where_records_were_found() -> None:
    probe, _ = look(begin({A: 9}), {A: 3}, 0)
    for _ in range(3):
        probe, decision = look(probe, {A: 3}, 0)
        assert decision == LookInto({A: (3, 9)})


def test_what_is_known_to_be_empty_is_not_looked_into_again() -> None:
    known = found_empty(begin({A: 9}), {A: (3, 9)}).empty
    later = Probe(AT, 100.0, {A: 9}, empty=known)
    assert look(later, {A: 3}, 0)[1] == GoOn(Hop.STAGE_2)
    assert look(later, {A: 2}, 0)[1] == Wait()
    assert look(Probe(AT, 100.0, {A: 10}, empty=known), {A: 3}, 0)[1] == Wait()


def test_look_gives_up_when_its_time_is_over_but_not_when_it_has_come_through() -> None:
    assert look(begin({A: 9, B: 2}), {A: 3, B: 2}, 100)[1] == GiveUp(Hop.STAGE_1, 1)
    assert look(begin({A: 9}), {A: 9}, 100)[1] == GoOn(Hop.STAGE_2)


def test_the_next_hop_starts_with_its_own_ends_and_keeps_what_is_known() -> None:
    probe, _ = look(found_empty(begin({A: 9}), {B: (1, 2)}), {A: 3}, 0)
    onward = go_on(probe, Hop.STAGE_2, {B: 5})
    assert (onward.ends, onward.stood, onward.empty) == ({B: 5}, {}, {B: (1, 2)})
    assert onward.asked_at == AT


logs = st.lists(st.booleans(), max_size=12)
"""A log: True is a record, False a transaction marker."""


@given(log=logs, steps=st.lists(st.integers(0, 3), max_size=8), noted=st.integers(0, 12))
def test_a_hop_is_reached_exactly_when_every_record_before_the_end_was_read(
    log: list[bool], steps: list[int], noted: int
) -> None:
    """A reader's position stands behind the last *record* it has read; markers it steps over without telling."""
    end = min(noted, len(log))
    probe, position = begin({A: end}), 0
    for step in [*steps, 0, 0]:
        for _ in range(step):
            records = [offset for offset in range(position, len(log)) if log[offset]]
            position = records[0] + 1 if records else position
        probe, decision = look(probe, {A: position}, 0)
        if isinstance(decision, LookInto):
            span = decision.spans[A]
            if not any(log[slice(*span)]):
                probe = found_empty(probe, {A: span})
                probe, decision = look(probe, {A: position}, 0)
        unread = any(log[position:end])
        if isinstance(decision, GoOn):
            assert not unread
    # Twice without a step: whatever was to be found out by looking has been found out.
    assert isinstance(decision, GoOn) == (not any(log[position:end]))
