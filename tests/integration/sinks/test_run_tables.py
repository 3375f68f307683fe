"""Rows that are copied straight into their tables: also where one of them stands after all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.schemas.topics import RUN_LOG, RUNS
from runledger.sinks.batch import fold
from runledger.sinks.offsets import Position
from runledger.sinks.records import Record
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import logged_record, outcome, run_number, run_record, snapshot, source, tombstone

pytestmark = pytest.mark.integration

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def writer(ledger: Ledger) -> Iterator[Writer]:
    """A writer that asks for no position, and so goes on knowing what it wrote."""
    ledger.writer.open_positions({source(topic): Position(0, "topic-id", 4) for topic in (RUNS, RUN_LOG)})
    writer = Writer(SinkSettings(postgres=ledger.uri))
    yield writer
    writer.close()


def _write(writer: Writer, *records: Record, at: int = 0) -> None:
    batch = fold(records, DEFAULT_RUBRIC)
    writer.write(batch, dict.fromkeys(batch.moves, at))


@contextmanager
def _row_under_way(ledger: Ledger, table: str) -> Iterator[None]:
    """Take the table's row away, and let another session put it back just when somebody writes the same."""
    ledger.connection.execute(f"CREATE TABLE kept AS TABLE {table}".encode())
    ledger.connection.execute(f"DELETE FROM {table}".encode())  # noqa: S608  # a table's name
    with psycopg.connect(ledger.uri) as other:
        other.execute(f"INSERT INTO {table} TABLE kept".encode())
        yield
        deadline = time.monotonic() + 30
        while ledger.rows(_WAITING) != [(1,)]:
            assert time.monotonic() < deadline, "nobody waits"
            threading.Event().wait(0.02)


def test_a_run_that_another_session_writes_just_now_is_updated(ledger: Ledger, writer: Writer) -> None:
    ledger.write([run_record(0, snapshot(1, version=2))])
    late = threading.Thread(target=_write, args=(writer, run_record(1, snapshot(1, version=5))), kwargs={"at": 1})
    with _row_under_way(ledger, "agent_run"):
        late.start()
    late.join(30)
    assert ledger.rows("SELECT version, late_events FROM agent_run") == [(5, False)]


@pytest.mark.parametrize(("revision", "status"), [(1, "failed"), (2, "success")])
def test_a_run_logged_under_two_agents_at_once_stands_once(
    ledger: Ledger, writer: Writer, revision: int, status: str
) -> None:
    ledger.write([logged_record(0, outcome(1, status="failed"))])
    again = logged_record(1, outcome(1, revision=revision))
    late = threading.Thread(target=_write, args=(writer, again, logged_record(2, outcome(2))), kwargs={"at": 1})
    with _row_under_way(ledger, "agent_run_log"):
        late.start()
    late.join(30)
    assert ledger.rows("SELECT revision, status FROM agent_run_log ORDER BY ended_at") == [
        (revision, status),
        (1, "success"),
    ]
    assert ledger.rows("SELECT count(*), count(DISTINCT job_id) FROM scoring_outbox") == [(2, 2)]
    assert ledger.rows("SELECT sum(runs)::int, sum(failed)::int FROM run_rollup") == [(2, 2 - revision)]


def test_a_run_that_was_erased_starts_anew_though_the_writer_knew_it(ledger: Ledger, writer: Writer) -> None:
    _write(writer, run_record(0, snapshot(1, version=2)))
    _write(writer, run_record(1, snapshot(1, version=3)), at=1)
    _write(writer, tombstone(2, 1, "erased"), at=2)
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(0,)]
    _write(writer, run_record(3, snapshot(1, born_offset=8, version=9)), at=3)
    assert ledger.rows("SELECT version, late_events FROM agent_run") == [(9, False)]


def test_another_birth_of_a_run_that_the_writer_knows_marks_its_row(ledger: Ledger, writer: Writer) -> None:
    _write(writer, run_record(0, snapshot(1, version=2)), run_record(1, snapshot(2, version=2)))
    _write(writer, run_record(2, snapshot(1, born_offset=8, version=9)), run_record(3, snapshot(2, version=4)), at=2)
    assert ledger.rows("SELECT version, late_events FROM agent_run ORDER BY version") == [(2, True), (4, False)]


def test_a_run_that_the_writer_knows_and_somebody_deleted_stands_again(ledger: Ledger, writer: Writer) -> None:
    _write(writer, run_record(0, snapshot(1, version=2)), run_record(1, snapshot(2, version=2)))
    ledger.connection.execute("DELETE FROM agent_run WHERE run_id = %s", [run_number(1)])
    _write(writer, run_record(2, snapshot(1, version=4)), run_record(3, snapshot(2, version=5)), at=2)
    assert ledger.rows("SELECT version, late_events FROM agent_run ORDER BY version") == [(4, False), (5, False)]


def test_a_run_that_was_pruned_stands_again_once_another_sink_has_erased_its_project(
    ledger: Ledger, writer: Writer
) -> None:
    _write(writer, run_record(0, snapshot(1, version=2)))
    ledger.connection.execute("INSERT INTO pruned_run SELECT project_key, run_id, agent_id FROM agent_run")
    ledger.connection.execute("DELETE FROM agent_run")
    _write(writer, run_record(1, snapshot(1, version=3)), at=1)
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(0,)]
    assert ledger.rows("SELECT late_events FROM pruned_run") == [(True,)]
    ledger.connection.execute("DELETE FROM pruned_run")
    _write(writer, run_record(2, snapshot(1, version=4)), at=2)
    assert ledger.rows("SELECT version, late_events FROM agent_run") == [(4, False)]


def test_runs_beyond_what_is_remembered_are_looked_up(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runledger.sinks.writer._MOST_STANDING", 2)
    writer = Writer(SinkSettings(postgres=ledger.uri))
    writer.open_positions({source(RUNS): Position(0, "topic-id", 4)})
    for at in range(6):
        _write(writer, run_record(at, snapshot(at % 3, version=at + 1)), at=at)
    writer.close()
    assert ledger.rows("SELECT version FROM agent_run ORDER BY version") == [(4,), (5,), (6,)]
