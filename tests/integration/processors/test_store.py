"""Whoever opened a partition's store last owns it, and what it commits is all there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined]  # exported at run time

from runledger.processors.broker import Broker
from runledger.processors.errors import StopLoudly, StoreLost
from runledger.processors.fold import fold, tick
from runledger.processors.reading import PartitionReader
from runledger.processors.records import Changes, Output
from runledger.processors.run_stage import RunStage
from runledger.schemas.codec import decode
from runledger.schemas.dead_letters import REASON
from runledger.schemas.run_events import RunErased
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import Position
from runledger.schemas.topics import DEAD_LETTERS, RUN_EVENTS, RUN_OUTCOMES, RUN_POSITIONS, RUNS
from tests.integration.processors.partition import PARTITION, Partition, until, usage
from tests.unit.processors.logs import event

pytestmark = pytest.mark.integration


def erased(run: int, event_id: str) -> RunErased:
    told = event("beat", run, event_id)
    return RunErased(
        event_id=told.event_id, project_key=told.project_key, run_id=told.run_id, occurred_at=told.occurred_at
    )


@pytest.fixture
def partition(topics: ConnectionSettings) -> Partition:
    partition = Partition(topics)
    partition.wait_for_leaders()
    return partition


def test_a_new_partition_opens_empty_at_offset_zero(partition: Partition) -> None:
    store = partition.store().open()
    assert (store.held.next_offset, store.held.states, len(store.held.seen)) == (0, {}, 0)


def test_a_commit_writes_snapshots_outcomes_and_the_position(partition: Partition) -> None:
    partition.log(event("started", 0, "a"), usage(1), event("ended", 0, "b"))
    broker = partition.broker()
    store = partition.store(broker).open()
    assert partition.advance(store)
    assert (partition.tokens(), sum(partition.outcomes().values())) == (10, 1)
    (message,) = partition.seen(RUN_POSITIONS)
    position = decode(Position, message.value())
    assert (position.stage, position.partition, position.next_offset, position.partition_count) == ("runs", 0, 3, 4)
    assert store.held.next_offset == 3


def test_the_restored_state_is_the_committed_one(partition: Partition) -> None:
    broker = partition.broker(record_retention_seconds=0.001)
    store = partition.store(broker).open()
    for number in range(6):
        partition.log(event("recorded", number, "r") if number % 2 else event("started", number, "s"))
        partition.advance(store)
    later = datetime.now(UTC) + timedelta(seconds=60)
    changes, _ = tick(RunStage(broker.settings), store.held, later, PARTITION, 10)
    assert len(changes.snapshots) == 3
    store.commit(changes)
    gone = [dict(message.headers() or ()) for message in partition.seen(RUNS) if message.value() is None]
    assert gone == [{REASON: b"evicted"}] * 3
    heir = partition.store(broker).open()
    assert heir.held.states == store.held.states
    assert len(heir.held.states) == 3
    assert (heir.held.next_offset, heir.held.rejected) == (store.held.next_offset, ())
    assert heir.held.last_logged_at == store.held.last_logged_at


def test_opening_fences_the_earlier_owner_and_nothing_of_its_commit_is_seen(partition: Partition) -> None:
    zombie = partition.store().open()
    partition.log(event("started", 0, "a"), event("ended", 0, "b"))
    heir = partition.store().open()
    with pytest.raises(StoreLost):
        partition.advance(zombie)
    assert (partition.seen(RUNS), partition.seen(RUN_OUTCOMES), partition.seen(RUN_POSITIONS)) == ([], [], [])
    assert partition.advance(heir)
    assert list(partition.outcomes().values()) == [1]


def test_without_fencing_a_zombie_counts_an_outcome_again(partition: Partition) -> None:
    zombie = partition.store(partition.broker("fencing")).open()
    partition.log(event("started", 0, "a"), event("ended", 0, "b"))
    heir = partition.store(partition.broker("fencing")).open()
    assert partition.advance(heir)
    assert partition.advance(zombie)
    assert list(partition.outcomes().values()) == [2]


def test_a_lost_commit_leaves_memory_as_it_was_and_closes_nothing_else(partition: Partition) -> None:
    zombie = partition.store().open()
    partition.store().open()
    partition.log(usage(1))
    with pytest.raises(StoreLost):
        partition.advance(zombie)
    assert (zombie.held.next_offset, zombie.held.states) == (0, {})
    zombie.close()
    with pytest.raises(StoreLost, match="closed"):
        partition.advance(zombie)


def test_opening_ends_a_dead_owners_transaction(partition: Partition) -> None:
    with partition.dead_owner() as dead:
        began = time.monotonic()
        store = partition.store().open()
        partition.log(event("started", 0, "a"), event("ended", 0, "b"))
        partition.advance(store)
        assert list(partition.outcomes().values()) == [1]
        assert time.monotonic() - began < 8  # its transaction would time out after 10 s
        with pytest.raises(KafkaException):
            dead.commit_transaction(10)
    assert b"dead" not in {message.key() for message in partition.seen(RUNS)}


def test_an_aborted_transaction_leaves_nothing(partition: Partition) -> None:
    partition.log(event("started", 0, "a"), event("ended", 0, "b"))
    store = partition.store(partition.broker(unsafe_abort_ratio=1)).open()
    assert not partition.advance(store)
    assert (store.held.next_offset, store.held.states) == (0, {})
    assert (partition.seen(RUNS), partition.seen(RUN_OUTCOMES), partition.seen(RUN_POSITIONS)) == ([], [], [])
    heir = partition.store().open()
    assert heir.held.next_offset == 0
    partition.advance(heir)
    assert list(partition.outcomes().values()) == [1]


def test_without_read_committed_a_store_goes_on_behind_an_aborted_transaction(partition: Partition) -> None:
    partition.log(usage(1), usage(2))
    aborting = partition.store(partition.broker(unsafe_abort_ratio=1)).open()
    assert not partition.advance(aborting)
    misled = partition.store(partition.broker("read_committed")).open()
    assert misled.held.next_offset == 2  # a position that nobody committed
    partition.advance(misled)
    assert partition.tokens() == 0  # of 20: both reports are lost


def test_the_position_wins_over_the_groups_offset(partition: Partition) -> None:
    partition.log(usage(1), usage(2), usage(3))
    broker = partition.broker()
    partition.advance(partition.store(broker).open())
    group = Consumer({"bootstrap.servers": partition.connection.kafka, "group.id": broker.group})
    group.commit(offsets=[TopicPartition(partition.name(RUN_EVENTS), PARTITION, 1)], asynchronous=False)
    group.close()
    heir = partition.store(broker).open()
    assert heir.held.next_offset == 3
    partition.log(usage(4))
    partition.advance(heir)
    assert partition.tokens() == 40


def test_repeats_are_skipped_across_a_restart(partition: Partition) -> None:
    partition.log(usage(1), usage(2))
    partition.advance(partition.store().open())
    partition.log(usage(1), usage(2), usage(3))
    heir = partition.store().open()
    changes = fold(RunStage(partition.settings_of(heir)), heir.held, [partition.batch(2)])
    assert changes.duplicates == 2
    heir.commit(changes)
    assert partition.tokens() == 30


def test_without_dedupe_a_repeated_event_counts_again(partition: Partition) -> None:
    partition.log(usage(1), usage(2))
    broker = partition.broker("dedupe")
    partition.advance(partition.store(broker).open())
    partition.log(usage(1), usage(2), usage(3))
    partition.advance(partition.store(broker).open())
    assert partition.tokens() == 50


def test_a_mended_event_counts_across_a_restart(partition: Partition) -> None:
    bad = usage(1).model_copy(update={"project_key": "NOT A KEY"})
    partition.log(bad, usage(2))
    partition.advance(partition.store().open())
    assert len(partition.seen(DEAD_LETTERS)) == 1
    heir = partition.store().open()
    assert heir.held.rejected == (0,)
    partition.log(usage(1))
    partition.advance(heir)
    assert partition.tokens() == 20


def test_a_record_too_large_to_be_written_stops_loudly(partition: Partition) -> None:
    store = partition.store().open()
    huge = Output(partition.name(RUN_OUTCOMES), b"p/sage", b" " * 9_000_000)
    with pytest.raises(StopLoudly, match="too large"):
        store.commit(Changes(next_offset=1, outputs=[huge]))
    assert partition.store().open().held.next_offset == 0


def test_a_position_missing_beside_a_changelog_stops_loudly(partition: Partition) -> None:
    partition.log(usage(1))
    partition.advance(partition.store().open())
    partition.recreate(RUN_POSITIONS)
    with pytest.raises(StopLoudly, match="no position"):
        partition.store().open()


class InterruptedReader(PartitionReader):
    """Something happens just after it has looked for a position, as to a process that is stopped there."""

    happens: Callable[[], None]

    def last(self, topic: str, partition: int) -> bytes | None:
        found = super().last(topic, partition)
        happens, self.happens = self.happens, lambda: None
        happens()
        return found


class InterruptedBroker(Broker):
    """Gives such readers."""

    happens: Callable[[], None]

    def reader(self) -> PartitionReader:
        reader = InterruptedReader(self.settings)
        reader.happens = self.happens
        return reader


def test_who_is_stopped_while_restoring_is_fenced_by_the_heir_and_not_stopped_for_good(partition: Partition) -> None:
    """The heir wrote states and a position after the zombie had found no position, and before it read the states."""
    partition.log(usage(1))

    def go_on() -> None:
        partition.advance(partition.store().open())
        partition.store().open()  # returns once the partitions show what was committed

    broker = InterruptedBroker(partition.broker().settings)
    broker.happens = go_on
    zombie = partition.store(broker).open()
    assert (zombie.held.next_offset, len(zombie.held.states)) == (1, 1)
    partition.log(usage(2))
    with pytest.raises(StoreLost):
        partition.advance(zombie)
    assert partition.tokens() == 10


def test_a_position_missing_beside_the_tombstone_of_a_run_stops_loudly(partition: Partition) -> None:
    """All runs left memory, but they counted: folded again, their outcomes would count twice."""
    partition.log(event("recorded", 0, "a"), erased(0, "b"))
    partition.advance(partition.store().open())
    partition.recreate(RUN_POSITIONS)
    with pytest.raises(StopLoudly, match="no position"):
        partition.store().open()


def test_an_erased_run_heard_of_again_in_the_same_batch_has_its_tombstone_first(partition: Partition) -> None:
    partition.log(usage(1))
    store = partition.store().open()
    partition.advance(store)
    partition.log(erased(0, "b"), event("used", 0, "c"))
    partition.advance(store)
    reasons = [dict(message.headers() or ()).get(REASON) for message in partition.seen(RUNS)]
    assert reasons == [None, b"erased", None]
    assert [state.born_offset for state in store.held.states.values()] == [2]
    assert partition.store().open().held.states == store.held.states


def test_a_recreated_topic_stops_loudly(partition: Partition) -> None:
    partition.log(usage(1))
    partition.advance(partition.store().open())
    partition.recreate(RUN_EVENTS)
    with pytest.raises(StopLoudly, match="recreated"):
        partition.store().open()


def test_a_recreated_changelog_stops_loudly(partition: Partition) -> None:
    """Its states are gone: to go on without them would begin every open run anew."""
    partition.log(usage(1))
    partition.advance(partition.store().open())
    partition.recreate(RUNS)
    with pytest.raises(StopLoudly, match="recreated"):
        partition.store().open()


def test_a_repartitioned_topic_stops_loudly(partition: Partition) -> None:
    partition.log(usage(1))
    partition.advance(partition.store().open())
    name = partition.name(RUN_EVENTS)
    partition.admin.create_partitions([NewPartitions(name, 5)])[name].result()
    until(lambda: len(partition.admin.list_topics(name, timeout=5).topics[name].partitions) == 5)
    with pytest.raises(StopLoudly, match="re-partitioned"):
        partition.store().open()


def test_a_position_that_fell_out_of_the_log_stops_loudly(partition: Partition) -> None:
    partition.log(usage(1))
    partition.advance(partition.store().open())
    partition.log(usage(2), usage(3))
    partition.forget_before(2)
    with pytest.raises(StopLoudly, match="the log holds 2 to 3"):
        partition.store().open()


def test_a_log_that_lost_its_beginning_unread_stops_loudly(partition: Partition) -> None:
    partition.log(usage(1), usage(2))
    partition.forget_before(1)
    with pytest.raises(StopLoudly, match="begins at 1"):
        partition.store().open()


def test_what_retention_deleted_below_the_position_is_not_missed(partition: Partition) -> None:
    partition.log(usage(1), usage(2))
    partition.advance(partition.store().open())
    partition.forget_before(2)
    partition.log(usage(3))
    heir = partition.store().open()
    partition.advance(heir)
    assert partition.tokens() == 30
