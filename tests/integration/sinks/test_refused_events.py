"""A run event that the database refused, and that came again: the recount takes it for what it was at first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runledger.schemas.run_events import AnyRunEvent, RunHeartbeat
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS
from runledger.sinks.dead_letters import DeadLetterBox, make_producer
from runledger.sinks.delivery import Delivery
from runledger.sinks.offsets import Position
from runledger.sinks.records import Record
from runledger.sinks.settings import SinkSettings
from runledger.sinks.verify import verify
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import Story
from tests.unit.sinks.build import NOON, PROJECT, event_record, run_number, source

pytestmark = pytest.mark.integration


def _beat(name: str, run: int = 1) -> RunHeartbeat:
    return RunHeartbeat(event_id=name, project_key=PROJECT, run_id=run_number(run), occurred_at=NOON, agent_id="sage")


def _deliver(ledger: Ledger, settings: ConnectionSettings, records: Sequence[Record]) -> None:
    """Deliver records as the consumer does, setting aside what the database refuses."""
    sink = SinkSettings(kafka=settings.kafka, postgres=ledger.uri, topic_prefix=settings.topic_prefix)
    sources = {record.source for record in records}
    ledger.writer.open_positions({source: Position(0, "topic-id", 4) for source in sources})
    held = ledger.writer.read_positions(sources)
    delivery = Delivery(sink, ledger.writer, DeadLetterBox(sink, make_producer(sink)), lambda _seconds: True)
    delivery.deliver(records, {source: position.next_offset for source, position in held.items()})
    delivery.settle()


def _tell(*events: AnyRunEvent) -> list[Record]:
    return Story().tell(list(events))


@pytest.mark.parametrize("refused", ["first", "second", "third"])
def test_verify_is_clean_once_a_refused_event_was_replayed(
    ledger: Ledger, topics: ConnectionSettings, refused: str
) -> None:
    told = _tell(_beat("first"), _beat("second"), _beat("third"))
    ledger.connection.execute(f"ALTER TABLE run_event ADD CONSTRAINT picky CHECK (event_id <> '{refused}')".encode())
    _deliver(ledger, topics, told)
    assert ledger.rows("SELECT event_id FROM refused_event") == [(refused,)]
    assert not verify(ledger.connection).clean
    ledger.connection.execute("ALTER TABLE run_event DROP CONSTRAINT picky")
    _deliver(ledger, topics, [event_record(9, _beat(refused))])
    assert verify(ledger.connection).differences == ()


def test_an_event_whose_ids_are_refused_is_set_aside_all_the_same(ledger: Ledger, topics: ConnectionSettings) -> None:
    for table in ("run_event", "refused_event"):
        ledger.connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT picky CHECK (event_id <> 'bad')".encode())
    _deliver(ledger, topics, [event_record(0, _beat("good")), event_record(1, _beat("bad"))])
    assert ledger.rows("SELECT event_id FROM run_event") == [("good",)]
    assert ledger.writer.read_positions([source(RUN_EVENTS)])[source(RUN_EVENTS)].next_offset == 2


def test_verify_leaves_out_runs_that_began_before_the_tables_did(ledger: Ledger) -> None:
    """The log had lost its beginning, and an operator said where the tables begin."""
    told = _tell(_beat("a"), _beat("b"), _beat("c", 2))
    ledger.write(told)
    ledger.connection.execute("DELETE FROM run_event WHERE log_offset = 0")
    assert {one.kind for one in verify(ledger.connection).differences} == {"run_differs"}
    ledger.connection.execute("UPDATE consumer_offset SET first_offset = 1 WHERE topic LIKE '%run-events'")
    report = verify(ledger.connection)
    assert (report.differences, report.runs, report.runs_not_recounted) == ((), 1, 1)
