"""Stage 1 turns events into snapshots, outcomes, timeouts and tombstones for the right topics."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from runledger.processors.fold import Stage, fold, tick
from runledger.processors.records import Changes, Due, Tombstone
from runledger.processors.state import PartitionState
from runledger.schemas.codec import EVENT_ID_HEADER, decode, decode_event, encode
from runledger.schemas.errors import DecodeError
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import AnyRunEvent, RunTimedOut
from runledger.schemas.snapshots import RunSnapshot
from tests.unit.processors.logs import PARTITION, START, Logged, batch, event, record, run_of, run_stage, state_of

STAGE: Stage[RunSnapshot] = run_stage()
KEY = f"p/{run_of(0)}".encode()


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def folded(*events: AnyRunEvent) -> tuple[PartitionState[RunSnapshot], Changes[RunSnapshot]]:
    held = state_of(STAGE)
    changes = fold(STAGE, held, [batch([record(told, offset) for offset, told in enumerate(events)])])
    held.take(changes)
    return held, changes


def ticked(held: PartitionState[RunSnapshot], now: datetime) -> Changes[RunSnapshot]:
    changes, came_up = tick(STAGE, held, now, PARTITION, 10)
    held.take(changes)
    held.refile(came_up, now)
    return changes


def test_an_end_becomes_an_outcome_under_its_agents_key() -> None:
    _, changes = folded(event("started", event_id="a"), event("ended", event_id="b"))
    (output,) = changes.outputs
    assert (output.topic, output.key, output.partition) == ("t.run-outcomes", b"p/sage", None)
    outcome = decode(RunOutcome, output.value)
    assert (outcome.status, outcome.revision, outcome.run_id) == ("success", 1, run_of(0))


def test_the_changelog_restores_the_same_state() -> None:
    held, _ = folded(event("started", event_id="a"), event("used", event_id="b"), event("ended", event_id="c"))
    assert STAGE.restore(encode(held.states[KEY])) == held.states[KEY]


def test_an_event_that_says_nothing_new_writes_nothing() -> None:
    held = state_of(STAGE)
    records = [record(event("started"), 0), record(event("started"), 1)]
    changes = fold(run_stage(), held, [batch(records[:1])])
    held.take(changes)
    changes = Changes[RunSnapshot]()
    STAGE.apply(held.states[KEY], records[1], START, changes)
    assert not changes


def test_apply_refuses_an_event_under_another_runs_key_and_adds_nothing() -> None:
    changes = Changes[RunSnapshot]()
    good = record(event("used"), 0)
    with pytest.raises(DecodeError, match="wrong_key"):
        STAGE.apply(None, Logged(0, 0, b"p/other", good.value), START, changes)
    with pytest.raises(DecodeError, match="wrong_key"):
        STAGE.apply(None, Logged(0, 0, None, good.value), START, changes)
    assert not changes


def test_a_run_that_fell_silent_is_asked_to_end_in_its_own_partition() -> None:
    held, _ = folded(event("started"))
    assert not ticked(held, after(59))
    changes = ticked(held, after(60))
    (output,) = changes.outputs
    assert (output.topic, output.key, output.partition) == ("t.run-events", KEY, PARTITION)
    timeout = decode_event(output.value, KEY)
    assert isinstance(timeout, RunTimedOut)
    assert timeout.data.last_version == held.states[KEY].version
    assert dict(output.headers)[EVENT_ID_HEADER] == timeout.event_id.encode()
    assert (changes.next_offset, changes.snapshots) == (None, {})


def test_a_timeout_is_asked_for_once_while_its_answer_is_on_the_way() -> None:
    held, _ = folded(event("started"))
    assert ticked(held, after(60)).outputs
    assert not ticked(held, after(62)).outputs
    assert not ticked(held, after(3600)).outputs


def test_a_run_that_moved_is_asked_again_for_its_new_version() -> None:
    held, _ = folded(event("started"))
    first = ticked(held, after(60)).outputs[0]
    held.take(fold(STAGE, held, [batch([record(event("beat", event_id="b"), 1, after(61))])]))
    assert not ticked(held, after(100))
    second = ticked(held, after(130)).outputs[0]
    assert dict(first.headers)[EVENT_ID_HEADER] != dict(second.headers)[EVENT_ID_HEADER]


def test_an_ended_run_is_evicted_after_its_retention() -> None:
    held, _ = folded(event("started", event_id="a"), event("ended", event_id="b"))
    assert not ticked(held, after(300))
    assert ticked(held, after(301)).snapshots == {KEY: Tombstone("evicted")}
    assert held.states == {}


def test_a_one_event_run_is_evicted_sooner() -> None:
    held, _ = folded(event("recorded"))
    assert ticked(held, after(100)).snapshots == {KEY: Tombstone("evicted")}


def test_an_ended_run_without_an_agent_goes_out_at_its_deadline() -> None:
    nameless = event("ended").model_copy(update={"agent_id": None})
    held, changes = folded(nameless)
    assert changes.outputs == []
    late = ticked(held, after(60))
    assert late.outputs[0].key == b"p/unknown"
    assert not ticked(held, after(120)).outputs


def test_expire_before_the_deadline_adds_nothing() -> None:
    held, _ = folded(event("started"))
    changes = Changes[RunSnapshot]()
    STAGE.expire(KEY, held.states[KEY], Due(after(10), PARTITION, None), changes)
    assert not changes
