"""Records reach the database through its failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
import pytest
from msgspec.structs import replace as changed

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUNS
from runledger.sinks.batch import Batch
from runledger.sinks.dead_letters import DeadLetterBox, make_producer
from runledger.sinks.delivery import Delivery
from runledger.sinks.errors import DeliveryError, InterruptedDeliveryError, PositionConflictError
from runledger.sinks.offsets import Position
from runledger.sinks.records import Partition, Record
from runledger.sinks.settings import SinkSettings
from runledger.sinks.texts import Texts
from runledger.sinks.writer import Writer
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import run_record, snapshot, source

pytestmark = pytest.mark.integration

_RUNS = source(RUNS)


class _CutOnce(Writer):
    """A writer that loses its connection once, before or after the commit."""

    def __init__(self, settings: SinkSettings, *, committed: bool) -> None:
        super().__init__(settings)
        self._committed = committed
        self.cuts = 0

    def write(self, batch: Batch, expected: Mapping[Partition, int], texts: Texts | None = None) -> None:
        if self.cuts == 0:
            self.cuts += 1
            if self._committed:
                super().write(batch, expected, texts)
            self.close()
            raise psycopg.OperationalError("the connection is lost")
        super().write(batch, expected, texts)


@pytest.fixture
def settings(topics: ConnectionSettings, ledger: Ledger) -> SinkSettings:
    ledger.writer.open_positions({_RUNS: Position(0, "topic-id", 4)})
    return SinkSettings(
        kafka=topics.kafka,
        postgres=ledger.uri,
        topic_prefix=topics.topic_prefix,
        retry_seconds=0.01,
        delivery_timeout_seconds=1,
    )


def _delivery(settings: SinkSettings, writer: Writer, *, patient: bool = True) -> Delivery:
    return Delivery(settings, writer, DeadLetterBox(settings, make_producer(settings)), lambda _seconds: patient)


def _deliver(
    settings: SinkSettings,
    writer: Writer,
    records: Sequence[Record],
    positions: dict[Partition, int],
    ends: Mapping[Partition, int] | None = None,
    *,
    patient: bool = True,
) -> None:
    delivery = _delivery(settings, writer, patient=patient)
    delivery.deliver(records, positions, ends)
    delivery.settle()


def _records(count: int) -> list[Record]:
    return [run_record(number, snapshot(number)) for number in range(count)]


@pytest.mark.parametrize("committed", [True, False])
def test_deliver_finds_out_whether_a_commit_without_an_answer_happened(
    settings: SinkSettings, ledger: Ledger, committed: bool
) -> None:
    writer = _CutOnce(settings, committed=committed)
    positions = {_RUNS: 0}
    _deliver(settings, writer, _records(3), positions)
    writer.close()
    assert writer.cuts == 1
    assert positions == {_RUNS: 3}
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(3,)]


def test_deliver_does_not_take_anothers_commit_for_its_own(settings: SinkSettings, ledger: Ledger) -> None:
    writer = _CutOnce(settings, committed=False)
    ledger.write(_records(2))
    with pytest.raises(PositionConflictError):
        _deliver(settings, writer, _records(3), {_RUNS: 0})
    writer.close()
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(2,)]


def test_deliver_gives_up_waiting_where_the_partition_is_gone(settings: SinkSettings, ledger: Ledger) -> None:
    writer = _CutOnce(settings, committed=False)
    with pytest.raises(InterruptedDeliveryError):
        _deliver(settings, writer, _records(3), {_RUNS: 0}, patient=False)
    writer.close()
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(0,)]


def test_deliver_cuts_a_batch_at_its_byte_limit(settings: SinkSettings, ledger: Ledger) -> None:
    small = settings.model_copy(update={"batch_bytes": 1})
    writer = Writer(small)
    positions = {_RUNS: 0}
    _deliver(small, writer, _records(5), positions, {_RUNS: 7})
    writer.close()
    assert positions == {_RUNS: 7}
    assert ledger.rows("SELECT count(*), count(DISTINCT xmin::text) FROM agent_run") == [(5, 5)]


def test_deliver_sets_a_poison_aside_while_the_next_transaction_is_folded(
    settings: SinkSettings, ledger: Ledger
) -> None:
    small = settings.model_copy(update={"batch_records": 2})
    writer = Writer(small)
    records = _records(7)
    records[2] = run_record(2, snapshot(2, summary="\x00"))
    positions = {_RUNS: 0}
    _deliver(small, writer, records, positions, {_RUNS: 9})
    writer.close()
    assert positions == {_RUNS: 9}
    by_transaction = ledger.rows("SELECT count(*) FROM agent_run GROUP BY xmin::text ORDER BY 1")
    assert by_transaction == [(1,), (1,), (2,), (2,)]


def test_deliver_keeps_the_position_where_the_broker_takes_no_dead_letter(
    settings: SinkSettings, ledger: Ledger
) -> None:
    away = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    writer = Writer(away)
    poison = changed(_records(1)[0], value=b"{")
    with pytest.raises(DeliveryError):
        _deliver(away, writer, [poison], {_RUNS: 0})
    writer.close()
    assert ledger.writer.read_positions([_RUNS])[_RUNS].next_offset == 0


def test_deliver_returns_while_the_transaction_is_under_way_and_drop_waits_for_it(
    settings: SinkSettings, ledger: Ledger
) -> None:
    writer, positions = Writer(settings), {_RUNS: 0}
    delivery = _delivery(settings, writer)
    delivery.deliver(_records(3), positions)
    assert (delivery.under_way, positions) == ({_RUNS: 3}, {_RUNS: 0})
    delivery.drop()
    writer.close()
    assert (delivery.under_way, positions) == ({}, {_RUNS: 3})
    assert delivery.take_written() == {_RUNS}
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(3,)]


@pytest.mark.parametrize("committed", [True, False])
def test_drop_leaves_an_attempt_that_failed_to_who_asks_for_the_positions(
    settings: SinkSettings, ledger: Ledger, committed: bool
) -> None:
    writer, positions = _CutOnce(settings, committed=committed), {_RUNS: 0}
    delivery = _delivery(settings, writer)
    delivery.deliver(_records(3), positions)
    delivery.drop()
    assert (delivery.under_way, positions) == ({}, {_RUNS: 0})
    assert writer.read_positions([_RUNS])[_RUNS].next_offset == (3 if committed else 0)
    writer.close()
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(3 if committed else 0,)]


def test_drop_leaves_what_another_has_written(settings: SinkSettings, ledger: Ledger) -> None:
    writer, positions = Writer(settings), {_RUNS: 0}
    ledger.write(_records(2))
    delivery = _delivery(settings, writer)
    delivery.deliver(_records(3), positions)
    delivery.drop()
    writer.close()
    assert positions == {_RUNS: 0}
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(2,)]
