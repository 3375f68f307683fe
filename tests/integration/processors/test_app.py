"""Real processor processes: what they make of time, poison, company, death and orders to stop."""

from __future__ import annotations

import platform
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from runledger.schemas import dead_letters
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode, decode_event, decode_run_log, encode, encode_event
from runledger.schemas.identifiers import agent_key
from runledger.schemas.outcomes import Incident, LoggedRun
from runledger.schemas.run_events import RunTimedOut
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import AgentHealth
from runledger.schemas.topics import AGENTS, DEAD_LETTERS, INCIDENTS, RUN_EVENTS, RUN_LOG, RUN_OUTCOMES, RUNS
from runledger.vitals.exits import EXIT_CRASHED, EXIT_STOPPED
from tests.integration.processors.partition import PARTITION, Operator, until, usage
from tests.integration.processors.processes import REPORTS, Ledger, Load, Processor, story
from tests.unit.processors.logs import event, run_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TAKE_OVER_SECONDS = 15
STOP_SECONDS = 10
SESSION_SECONDS = 6
EVENTS_PER_SECOND = 1500
EASY_PER_SECOND = 500
"""A machine with other work catches up with it at once: what is measured is the taking over."""
MOST_RUNS = 50_000
"""More than any test needs: each says when it is enough, however slow the machine."""


@pytest.fixture
def ledger(topics: ConnectionSettings, tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(topics, tmp_path)
    ledger.wait_for_leaders()
    yield ledger
    ledger.close()


def timeouts(ledger: Ledger) -> list[RunTimedOut]:
    told = [decode_event(message.value()) for message in ledger.seen(RUN_EVENTS)]
    return [found for found in told if isinstance(found, RunTimedOut)]


def test_a_run_without_an_end_times_out_and_an_explicit_end_revises_it(ledger: Ledger) -> None:
    ledger.start(run_deadline_seconds=2)
    ledger.send(event("started", 0, "a"))
    (inferred,) = until(ledger.outcome_revisions)
    assert (inferred.revision, inferred.status, inferred.run_status) == (1, "failed", "interrupted")
    assert inferred.inferred
    ledger.send(event("ended", 0, "b", second=9))
    explicit = until(lambda: ledger.outcome_revisions()[1:])[0]
    assert (explicit.revision, explicit.status, explicit.inferred) == (2, "success", False)
    assert explicit.logged_at == inferred.logged_at
    ledger.wait_until_read()
    health = {message.key(): decode(AgentHealth, message.value()) for message in ledger.seen(AGENTS)}
    assert [(agent.finished_runs, agent.consecutive_failure_count) for agent in health.values()] == [(1, 0)]
    assert len({timeout.event_id for timeout in timeouts(ledger)}) == 1


def test_a_processor_that_was_down_times_nobody_out_for_its_own_absence(ledger: Ledger) -> None:
    """The run's deadline passes while nobody looks; its next event and its end stand in the log before one does.

    Whoever took the wall clock before having read on would write a timeout at once: none may stand in the log.
    """
    first = ledger.start(run_deadline_seconds=8)
    ledger.send(event("started", 0, "a"))
    began = time.monotonic()
    ledger.wait_until_read()
    assert first.stop()[0] == 0
    until(lambda: time.monotonic() - began > 9)
    ledger.send(event("beat", 0, "b"), event("ended", 0, "c"))
    ledger.start(run_deadline_seconds=8)
    (outcome,) = until(ledger.outcome_revisions)
    assert (outcome.status, outcome.inferred) == ("success", False)
    ledger.wait_until_read()
    assert timeouts(ledger) == []


def test_heartbeats_that_wait_for_a_processor_keep_their_run_alive(ledger: Ledger) -> None:
    """Down for longer than the deadline, beside a run that goes on: its deadline counts from the last heartbeat."""
    deadline = 6
    first = ledger.start(run_deadline_seconds=deadline)
    ledger.send(event("started", 0, "a"))
    ledger.wait_until_read()
    assert first.stop()[0] == 0
    stopped = time.monotonic()
    until(lambda: time.monotonic() - stopped > deadline / 2)
    ledger.send(event("beat", 0, "b"))
    until(lambda: time.monotonic() - stopped > deadline + 1)
    ledger.send(event("beat", 0, "c"))
    beaten = time.monotonic()
    ledger.start(run_deadline_seconds=deadline)
    ledger.wait_until_read()
    if time.monotonic() - beaten < deadline:  # a busy machine may need so long to start
        assert timeouts(ledger) == []
    (outcome,) = until(ledger.outcome_revisions)
    assert time.monotonic() - beaten >= deadline
    assert outcome.inferred
    (timeout,) = {found.event_id: found for found in timeouts(ledger)}.values()
    assert timeout.data.last_version == 3


def test_the_group_is_told_where_the_stores_stand_though_nothing_new_comes(ledger: Ledger) -> None:
    """Whoever was killed right after a commit has not told it: lag and watermark need the word of the next owner."""
    first = ledger.start()
    ledger.send(event("started", 0, "a"), event("ended", 0, "b"))
    until(ledger.outcome_revisions)
    ledger.wait_until_read()
    told = ledger.positions()
    assert first.stop()[0] == 0
    ledger.tell_group(dict.fromkeys(told, 0))
    assert ledger.lag() > 0
    ledger.start()
    ledger.wait_until_read()
    assert ledger.positions() == told


def test_settings_hold_from_the_start_and_change_while_the_processor_runs(ledger: Ledger) -> None:
    """What stands in the topic holds at once; a shorter deadline reaches a run that waits, a threshold the next one."""
    operator = Operator(ledger.connection)
    operator.say(AgentSettings("p", "sage", deadline_seconds=3600, failure_threshold=1))
    processor = ledger.start(run_deadline_seconds=1)
    ledger.send(event("started", 0, "a"), event("started", 1, "b").model_copy(update={"agent_id": "owl"}))
    until(lambda: ledger.outcome_revisions(1))
    assert ledger.outcome_revisions(0) == []
    operator.say(AgentSettings("p", "sage", deadline_seconds=2, failure_threshold=1))
    (outcome,) = until(ledger.outcome_revisions)
    assert (outcome.agent_id, outcome.inferred) == ("sage", True)
    until(lambda: ledger.seen(INCIDENTS))
    incidents = [decode(Incident, message.value()) for message in ledger.seen(INCIDENTS)]
    assert {(it.agent_id, it.kind, it.state, it.threshold) for it in incidents} == {("sage", "failing", "open", 1)}
    assert processor.stop()[0] == 0


def test_poison_ends_in_dead_letters_once_and_good_records_pass(ledger: Ledger) -> None:
    good = usage(1)
    key = f"p/{run_of(0)}".encode()
    ledger.emit(event("started", 0, "a"))
    ledger.emit_raw(key, b"{no", "bad-1")
    ledger.emit_raw(key, None, "bad-2")
    ledger.emit_raw(b"p/other", encode_event(good), "u1")
    ledger.emit_raw(None, b"\xff\xfe", "bad-3")
    ledger.emit_raw(key, encode_event(good).replace(b"runledger.usage", b"runledger.nothing"), "bad-4")
    ledger.emit_raw(key, b'"' + b" " * 20_000_000 + b'"', "bad-5")  # the broker sees it compressed
    ledger.send(good, usage(2), event("ended", 0, "b"))
    first = ledger.start()
    until(ledger.outcome_revisions)
    ledger.wait_until_read()
    assert first.stop()[0] == 0
    ledger.start()
    ledger.send(event("started", 1, "c"), event("ended", 1, "d"))
    until(lambda: ledger.outcome_revisions(1))
    letters = [dict(message.headers() or ()) for message in ledger.seen(DEAD_LETTERS)]
    reasons = sorted(headers[dead_letters.REASON] or b"" for headers in letters)
    assert reasons == [b"empty", b"not_json", b"not_json", b"too_large", b"unknown_type", b"wrong_key"]
    assert len({(headers[dead_letters.PARTITION], headers[dead_letters.OFFSET]) for headers in letters}) == 6
    assert ledger.tokens() == 20


def test_a_processor_that_joins_and_leaves_under_load_changes_no_total(ledger: Ledger) -> None:
    first = ledger.start()
    first.wait_for_partitions(8)
    with Load(ledger, MOST_RUNS, EVENTS_PER_SECOND) as load:
        second = ledger.start()
        second.wait_for_partitions(4)
        first.wait_for_partitions(4)
        until(lambda: sum(ledger.positions().values()) > 3000)
        code, seconds, written = second.stop()
        assert (code, written) == (0, b"")
        assert seconds < STOP_SECONDS
        first.wait_for_partitions(8, times=3)
        assert load.is_running
        load.enough()
    ledger.wait_until_read()
    ledger.check(load.runs)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to give memory back")
def test_memory_is_given_back_once_partitions_have_come_or_gone(ledger: Ledger) -> None:
    first = ledger.start()

    def told() -> list[int]:
        return [line["stores"] for line in first.lines("memory_given_back")]

    until(lambda: told() == [8])
    second = ledger.start()
    until(lambda: told()[-1] == 4)
    second.stop()
    until(lambda: told()[-1] == 8)
    assert 0 not in told()


def test_after_kill_9_the_other_has_taken_over_and_caught_up_within_15_seconds(ledger: Ledger) -> None:
    survivor, victim = ledger.start(), ledger.start()
    for processor in (survivor, victim):
        processor.wait_for_partitions(4)
    with Load(ledger, MOST_RUNS, EASY_PER_SECOND) as load:
        until(lambda: sum(ledger.positions().values()) > 2000)
        victim.signal(signal.SIGKILL)
        killed = time.monotonic()
        survivor.wait_for_partitions(8)
        taken_over = time.monotonic() - killed

        until(lambda: ledger.lag() < EASY_PER_SECOND / 4)  # of one partition: it is less than a second behind
        seconds = time.monotonic() - killed
        print(f"taken over after {taken_over:.1f} s, caught up after {seconds:.1f} s")  # noqa: T201  # a measurement
        assert load.is_running
        assert seconds < TAKE_OVER_SECONDS
        load.enough()
    ledger.wait_until_read()
    ledger.check(load.runs)


def test_a_zombie_that_wakes_after_its_session_changes_nothing(ledger: Ledger) -> None:
    heir, zombie = ledger.start(), ledger.start()
    for processor in (heir, zombie):
        processor.wait_for_partitions(4)
    with Load(ledger, MOST_RUNS, EVENTS_PER_SECOND) as load:
        until(lambda: sum(ledger.positions().values()) > 2000)
        zombie.signal(signal.SIGSTOP)
        heir.wait_for_partitions(8)
        met = len(zombie.lines("assigned"))
        before = sum(ledger.positions().values())
        until(lambda: sum(ledger.positions().values()) > before + 1000)
        zombie.signal(signal.SIGCONT)
        zombie.wait_for_partitions(4, times=met + 1)
        load.enough()
    ledger.wait_until_read()
    ledger.check(load.runs)
    assert zombie.process.poll() is None


def play_with_aborts(ledger: Ledger, runs: int, protection_off: str = "") -> Processor:
    """Fold a load while three in ten transactions are aborted with everything in the log."""
    processor = ledger.start(testing=1, unsafe_abort_ratio=0.3, unsafe_disable=protection_off)
    with Load(ledger, runs, EVENTS_PER_SECOND):
        pass
    ledger.wait_until_read()
    return processor


def test_aborted_transactions_and_repeats_leave_every_total_exact(ledger: Ledger) -> None:
    processor = play_with_aborts(ledger, 400)
    ledger.check(400)
    assert processor.lines("transaction_aborted")
    assert processor.lines("duplicates_skipped")


def logged_runs(ledger: Ledger) -> list[UUID]:
    said = [decode_run_log(message.value()) for message in ledger.seen(RUN_LOG)]
    return [told.outcome.run_id for told in said if isinstance(told, LoggedRun)]


@pytest.mark.parametrize(("protection_off", "runs"), [("", [0]), ("read_committed", [0, 1])])
def test_without_read_committed_an_aborted_outcome_counts(ledger: Ledger, protection_off: str, runs: list[int]) -> None:
    """Another owner's transaction holds the outcome of run 1, is aborted, and nobody writes it again."""
    whole = ledger.start()
    ledger.send(*story(0))
    (told,) = until(ledger.outcome_revisions)
    ledger.wait_until_read()
    whole.stop()
    ledger.abort(RUN_OUTCOMES, agent_key(told.project_key, told.agent_id), encode(replace(told, run_id=run_of(1))))
    ledger.start(testing=1, unsafe_disable=protection_off)
    ledger.wait_until_read()
    assert logged_runs(ledger) == [run_of(run) for run in runs]


def test_without_dedupe_repeats_count(ledger: Ledger) -> None:
    play_with_aborts(ledger, 400, "dedupe")
    assert ledger.tokens() > 400 * REPORTS * 10


def test_a_processor_with_hardly_any_room_holds_its_fetching_back_and_stays_in_its_group(ledger: Ledger) -> None:
    """One record may wait, for longer than a session lasts: who did not poll on would be put out of the group."""
    processor = ledger.start(pending_records=1)
    processor.wait_for_partitions(8)
    began = time.monotonic()
    with Load(ledger, MOST_RUNS, EVENTS_PER_SECOND) as load:
        until(lambda: time.monotonic() - began > 1.3 * SESSION_SECONDS)
        load.enough()
    ledger.wait_until_read()
    ledger.check(load.runs)
    assert len(processor.lines("assigned")) == 1
    assert processor.stop()[0] == 0


def test_sigterm_while_stores_open_ends_with_0(ledger: Ledger) -> None:
    processor = ledger.start()
    until(lambda: processor.partitions() > 0)
    code, seconds, written = processor.stop()
    assert (code, written) == (0, b"")
    assert seconds < STOP_SECONDS


def test_a_log_that_retention_overtakes_stops_the_processor_loudly(ledger: Ledger) -> None:
    """Stopped while records are logged and deleted, it wakes at an offset that is gone; a new start does not help."""
    processor = ledger.start()
    ledger.log(usage(1))
    until(lambda: ledger.tokens() == 10)
    processor.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    until(lambda: time.monotonic() - stopped > 2)  # the fetch under way ends empty, within half a second
    ledger.log(usage(2), usage(3))
    ledger.forget_before(3)
    processor.signal(signal.SIGCONT)
    assert processor.wait() == EXIT_CRASHED
    again = ledger.start()
    assert again.wait() == EXIT_STOPPED
    assert f"[{PARTITION}]: the position is 1, but the log holds 3 to 3" in again.lines("stopped")[0]["error"]


def test_a_state_that_cannot_be_read_stops_the_processor_loudly(ledger: Ledger) -> None:
    """To start again would not help; to leave it out would forget a run."""
    first = ledger.start()
    ledger.log(usage(1))
    until(lambda: ledger.tokens() == 10)
    assert first.stop()[0] == 0
    producer = Producer({"bootstrap.servers": ledger.connection.kafka})
    producer.produce(ledger.name(RUNS), b'{"events": "many"}', b"p/strange", partition=PARTITION)
    assert producer.flush(30) == 0
    again = ledger.start()
    assert again.wait() == EXIT_STOPPED
    error = again.lines("stopped")[0]["error"]
    assert f"{ledger.name(RUNS)} holds a state that cannot be read, p/strange: " in error
    assert "many" not in error


def test_a_topic_that_is_not_in_log_time_stops_the_processor_loudly(ledger: Ledger) -> None:
    """A producer's old time would have the run given up at once."""
    producers_time = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ConfigResource.Type.TOPIC, ledger.name(RUN_EVENTS), incremental_configs=[producers_time])
    for done in ledger.admin.incremental_alter_configs([topic]).values():
        done.result()
    processor = ledger.start()

    def stopped() -> bool:  # the broker takes the new setting over a moment after it has said so
        ledger.log(usage(1))
        return processor.process.poll() is not None

    until(stopped)
    assert processor.wait() == EXIT_STOPPED
    assert "LogAppendTime" in processor.lines("stopped")[0]["error"]
