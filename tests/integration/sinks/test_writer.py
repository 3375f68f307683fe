"""The laws of the writer, on a real database."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

from runledger.schemas import codec
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.identifiers import row_id, settings_key
from runledger.schemas.outcomes import OutcomeStatus
from runledger.schemas.run_events import (
    FailureData,
    FailureRecorded,
    FailureResolved,
    ResolvedData,
    RunErased,
    RunHeartbeat,
)
from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.schemas.topics import AGENTS, RUN_EVENTS, RUN_LOG, RUN_SCORES, RUNS, SETTINGS
from runledger.schemas.usage import UsageTotals
from runledger.sinks.batch import fold
from runledger.sinks.errors import PositionConflictError
from runledger.sinks.offsets import Position, advance_positions
from runledger.sinks.records import Record
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import (
    AGENT,
    NOON,
    PROJECT,
    event_record,
    health_record,
    incident_record,
    logged_record,
    outcome,
    record,
    run_number,
    run_record,
    score,
    score_record,
    snapshot,
    source,
    streak_record,
    tombstone,
)

pytestmark = pytest.mark.integration

_STATUSES: tuple[OutcomeStatus, ...] = ("success", "partial", "failed")
_WORD = ResolvedData(fingerprint="0" * 64)
_START = Position(0, "topic-id", 4)
_TABLES = (
    "agent_run",
    "agent_run_log",
    "agent_health",
    "run_event",
    "run_failure",
    "failure_group",
    "failure_resolution",
    "failure_task",
    "task_completion",
    "incident",
    "run_score",
    "scoring_outbox",
    "run_rollup",
    "erased_run",
    "consumer_offset",
)


def _everything(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    query = sql.SQL("SELECT t::text FROM {} AS t")
    return {
        table: sorted(ledger.connection.execute(query.format(sql.Identifier(table))).fetchall()) for table in _TABLES
    }


def _failure(event_id: str, run: int = 1, summary: str = "disk full", task: str | None = None) -> FailureRecorded:
    return FailureRecorded(
        event_id=event_id,
        project_key=PROJECT,
        run_id=run_number(run),
        occurred_at=NOON,
        data=FailureData(summary=summary, task_id=task),
    )


def _some_of_everything() -> list[Record]:
    return [
        event_record(0, _failure("f-1", task="build")),
        event_record(1, _failure("f-1", task="build")),
        event_record(
            2, FailureResolved(event_id="r", project_key=PROJECT, run_id=run_number(2), occurred_at=NOON, data=_WORD)
        ),
        run_record(0, snapshot(1, version=1, status="completed", ended_at=NOON, failures=1)),
        logged_record(0, outcome(1, status="failed"), failures=1),
        health_record(0),
        incident_record(0),
        score_record(0, score(1)),
    ]


def test_write_stores_every_kind_of_record(ledger: Ledger) -> None:
    ledger.write(_some_of_everything())
    counts = {table: len(rows) for table, rows in _everything(ledger).items()}
    assert counts == dict.fromkeys(_TABLES, 1) | {"run_event": 3, "erased_run": 0, "consumer_offset": 6}
    assert ledger.rows("SELECT project_key, agent_id FROM agent") == [(PROJECT, AGENT)]
    assert ledger.rows("SELECT count(*) FROM run_event_default") == [(0,)]


def test_write_refuses_a_batch_from_a_stale_position_and_changes_nothing(ledger: Ledger) -> None:
    ledger.write(_some_of_everything())
    before = _everything(ledger)
    again = fold(_some_of_everything(), DEFAULT_RUBRIC)
    with pytest.raises(PositionConflictError):
        ledger.writer.write(again, dict.fromkeys(again.moves, 0))
    assert _everything(ledger) == before


def test_without_compare_and_set_a_zombie_moves_the_position_back(ledger: Ledger) -> None:
    records = [event_record(offset, _failure(f"f-{offset}")) for offset in range(4)]
    ledger.write(records)
    zombie = Writer(SinkSettings(postgres=ledger.uri, testing=True, unsafe_disable=frozenset({"compare_and_set"})))
    late = fold([health_record(0)], DEFAULT_RUBRIC)
    late.moves[source(RUN_EVENTS)] = 2
    ledger.writer.open_positions({source(AGENTS): _START})
    zombie.write(late, dict.fromkeys(late.moves, 0))
    zombie.close()
    assert ledger.writer.read_positions([source(RUN_EVENTS)])[source(RUN_EVENTS)].next_offset == 2


def test_an_older_snapshot_changes_nothing(ledger: Ledger) -> None:
    ledger.write([run_record(0, snapshot(1, version=5))])
    ledger.write([run_record(1, snapshot(1, version=3))])
    assert ledger.rows("SELECT version, input_tokens, late_events FROM agent_run") == [(5, 5, False)]


def test_a_newer_snapshot_replaces_the_row_even_by_unknown(ledger: Ledger) -> None:
    ledger.write([run_record(0, snapshot(1, version=1, summary="a"))])
    used = UsageTotals(input_tokens=2**53 - 1, cost_usd=Decimal("0.1234567891"))
    ledger.write([run_record(1, snapshot(1, version=2, usage=used, models=("a", "b"), actions_taken={"x": [None]}))])
    assert ledger.rows(
        "SELECT input_tokens, total_tokens, cost_usd, models, actions_taken, summary, row_id FROM agent_run"
    ) == [
        (
            2**53 - 1,
            None,
            Decimal("0.1234567891"),
            ["a", "b"],
            {"x": [None]},
            None,
            row_id(PROJECT, run_number(1)),
        )
    ]


@pytest.mark.parametrize("together", [True, False])
def test_another_birth_changes_no_total_and_marks_the_row(ledger: Ledger, together: bool) -> None:
    records = [
        run_record(0, snapshot(1, version=5)),
        tombstone(1, 1, "evicted"),
        run_record(2, snapshot(1, born_offset=90, version=91)),
        run_record(3, snapshot(1, born_offset=90, version=95)),
    ]
    for batch in [records] if together else [[one] for one in records]:
        ledger.write(batch)
    assert ledger.rows("SELECT born_offset, version, input_tokens, late_events FROM agent_run") == [(0, 5, 5, True)]


@pytest.mark.parametrize("together", [True, False])
def test_a_run_born_after_its_erasure_starts_anew(ledger: Ledger, together: bool) -> None:
    records = [
        run_record(0, snapshot(1, version=5)),
        tombstone(1, 1, "erased"),
        run_record(2, snapshot(1, born_offset=90, version=91)),
    ]
    for batch in [records] if together else [[one] for one in records]:
        ledger.write(batch)
    assert ledger.rows("SELECT born_offset, version, late_events FROM agent_run") == [(90, 91, False)]


def test_erasure_leaves_nothing_of_the_run_but_the_order(ledger: Ledger) -> None:
    early = replace(outcome(1), logged_at=NOON)
    ledger.write(
        [
            event_record(0, _failure("f-1")),
            event_record(1, _failure("f-2", run=2, summary="disk full")),
            run_record(0, snapshot(1)),
            logged_record(0, early),
            score_record(0, score(1)),
        ]
    )
    order = RunErased(event_id="e", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON)
    ledger.write([event_record(2, order), tombstone(1, 1, "erased")])
    left = _everything(ledger)
    empty = ("agent_run", "agent_run_log", "run_score", "scoring_outbox")
    assert [len(left[table]) for table in empty] == [0, 0, 0, 0]
    assert ledger.rows("SELECT event_id FROM run_event ORDER BY 1") == [("e",), ("f-2",)]
    assert ledger.rows("SELECT event_id FROM run_failure") == [("f-2",)]
    assert ledger.rows("SELECT failure_count FROM failure_group") == [(1,)]
    assert ledger.rows("SELECT runs, success FROM run_rollup") == [(0, 0)]


def test_records_still_under_way_of_an_erased_run_are_not_written(ledger: Ledger) -> None:
    order = RunErased(event_id="e", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON)
    ledger.write([event_record(2, order)])
    ledger.write([logged_record(0, replace(outcome(1), logged_at=NOON)), score_record(0, score(1))])
    left = _everything(ledger)
    assert [len(left[table]) for table in ("agent_run_log", "scoring_outbox", "run_score")] == [0, 0, 0]


@pytest.mark.parametrize("together", [True, False])
def test_a_run_that_ends_anew_before_the_tombstone_of_its_erasure_is_written_stays(
    ledger: Ledger, together: bool
) -> None:
    order = RunErased(event_id="e", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON)
    anew = replace(outcome(1), logged_at=NOON + timedelta(seconds=3))
    records = [event_record(2, order), logged_record(0, anew), tombstone(9, 1, "erased"), logged_record(1, anew)]
    for batch in [records] if together else [[one] for one in records]:
        ledger.write(batch)
    assert ledger.rows("SELECT run_at FROM agent_run_log") == [(anew.logged_at,)]


@pytest.mark.parametrize("together", [True, False])
def test_a_revision_changes_the_row_in_place(ledger: Ledger, together: bool) -> None:
    late = outcome(1, revision=2, status="success", ended=7)
    records = [
        logged_record(0, outcome(1, status="failed"), failures=1),
        streak_record(1, 1, failures=4),
        logged_record(2, late, silence=2),
        logged_record(3, outcome(1, status="failed"), failures=9),
        streak_record(4, 1, silence=3),
    ]
    for batch in [records] if together else [[one] for one in records]:
        ledger.write(batch)
    assert ledger.rows(
        "SELECT id, status, revision, consecutive_silence_count, consecutive_failure_count, ended_at, action_summary"
        " FROM agent_run_log"
    ) == [(row_id(PROJECT, run_number(1)), "success", 2, 3, 0, late.ended_at, "run 1, revision 2")]
    assert ledger.rows("SELECT runs, success, partial, failed FROM run_rollup") == [(1, 1, 0, 0)]
    assert ledger.rows("SELECT payload::jsonb -> 'outcome' ->> 'revision' FROM scoring_outbox") == [("1",)]


def test_a_revision_leaves_run_at_and_created_at_alone(ledger: Ledger) -> None:
    query = "SELECT run_at, created_at FROM agent_run_log"
    ledger.write([logged_record(0, outcome(1))])
    before = ledger.rows(query)
    ledger.write([logged_record(1, replace(outcome(1, revision=2), logged_at=outcome(9).logged_at))])
    assert ledger.rows(query) == before


@pytest.mark.parametrize("order", [("row", "score"), ("score", "row"), ("both",)])
def test_score_and_row_join_whichever_comes_first(ledger: Ledger, order: tuple[str, ...]) -> None:
    row, scored = logged_record(0, outcome(1)), score_record(0, score(1, overall=0.25))
    for step in order:
        ledger.write({"row": [row], "score": [scored], "both": [row, scored]}[step])
    ledger.write([score_record(1, score(1, overall=0.75, scorer="again"))])
    assert ledger.rows("SELECT rlhf_scores FROM agent_run_log") == [
        (
            {
                "overall": 0.25,
                "dimensions": {"outcome": 0.25},
                "rubric": DEFAULT_RUBRIC,
                "scorer": "test/1",
                "scored_at": "2026-03-01T13:00:00+00:00",
            },
        )
    ]


def test_failures_count_once_each_and_groups_count_them(ledger: Ledger) -> None:
    ledger.write([event_record(0, _failure("f-1")), event_record(1, _failure("f-1"))])
    ledger.write([event_record(2, _failure("f-1")), event_record(3, _failure("f-2", run=2))])
    ledger.write([event_record(4, _failure("f-3", summary="no such table"))])
    assert ledger.rows("SELECT failure_count FROM failure_group ORDER BY 1") == [(1,), (2,)]
    assert ledger.rows("SELECT count(*) FROM run_failure") == [(3,)]
    assert ledger.rows("SELECT count(*) FROM run_event") == [(5,)]


def test_an_incident_recovers_and_does_not_open_again(ledger: Ledger) -> None:
    ledger.write([incident_record(0), incident_record(1, version=5, state="recovered")])
    ledger.write([incident_record(2)])
    assert ledger.rows("SELECT state, version FROM incident") == [("recovered", 5)]


def test_days_get_partitions_of_their_own(ledger: Ledger) -> None:
    beat = RunHeartbeat(event_id="h", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON)
    ledger.write([event_record(0, beat), event_record(86_400, beat)])
    found = ledger.rows("SELECT tableoid::regclass::text FROM run_event ORDER BY 1")
    assert found == [("run_event_20260301",), ("run_event_20260302",)]


def test_a_day_that_was_dropped_since_it_was_made_is_made_again(ledger: Ledger) -> None:
    beat = RunHeartbeat(event_id="h", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON)
    ledger.writer._days.add(NOON.date())  # as of a sink that wrote on that day, and was stopped since
    ledger.write([event_record(0, beat)])
    assert ledger.rows("SELECT tableoid::regclass::text FROM run_event") == [("run_event_20260301",)]


def test_any_cut_into_batches_gives_the_same_rows(ledger: Ledger) -> None:
    """Rows do not depend on where batches end; only times of insertion and numbers of the outbox may."""
    dice = random.Random(5)
    records = []
    offsets = dict.fromkeys((RUNS, RUN_LOG, AGENTS, RUN_EVENTS), 0)
    for step in range(120):
        run = dice.randrange(8)
        records.append(run_record(offsets[RUNS], snapshot(run, version=step + 1)))
        records.append(event_record(offsets[RUN_EVENTS], _failure(f"f-{dice.randrange(40)}", run)))
        status = dice.choice(_STATUSES)
        records.append(logged_record(offsets[RUN_LOG], outcome(run, revision=1 + step // 20, status=status)))
        records.append(health_record(offsets[AGENTS], version=step + 1, failures=step))
        for topic in offsets:
            offsets[topic] += 1
    ledger.write(records)
    whole = _comparable(ledger)
    for table in _TABLES:
        ledger.connection.execute(f"TRUNCATE {table}")
    while records:
        size = dice.randint(1, 60)
        ledger.write(records[:size])
        records = records[size:]
    assert _comparable(ledger) == whole


def _comparable(ledger: Ledger) -> list[list[tuple[object, ...]]]:
    queries = (
        "SELECT t::text FROM agent_run AS t ORDER BY 1",
        "SELECT (to_jsonb(t) - 'created_at')::text FROM agent_run_log AS t ORDER BY 1",
        "SELECT t::text FROM agent_health AS t ORDER BY 1",
        "SELECT t::text FROM run_failure AS t ORDER BY 1",
        "SELECT t::text FROM failure_group AS t ORDER BY 1",
        "SELECT t::text FROM run_rollup AS t ORDER BY 1",
        "SELECT job_id::text, payload FROM scoring_outbox ORDER BY 1",
    )
    return [ledger.rows(query) for query in queries]


def test_a_tombstone_without_reason_changes_nothing(ledger: Ledger) -> None:
    ledger.write([run_record(0, snapshot(1))])
    ledger.write([record(RUNS, 1, run_record(0, snapshot(1)).key, None)])
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(1,)]


def test_rows_and_scores_written_at_the_same_time_find_each_other(ledger: Ledger) -> None:
    scorer = Writer(SinkSettings(postgres=ledger.uri))
    ledger.writer.open_positions({source(RUN_LOG): _START, source(RUN_SCORES): _START})
    together = threading.Barrier(2)

    def write_scores() -> None:
        for number in range(40):
            batch = fold([score_record(number, score(number))], DEFAULT_RUBRIC)
            together.wait(30)
            scorer.write(batch, {source(RUN_SCORES): number})

    thread = threading.Thread(target=write_scores)
    thread.start()
    for number in range(40):
        batch = fold([logged_record(number, outcome(number))], DEFAULT_RUBRIC)
        together.wait(30)
        ledger.writer.write(batch, {source(RUN_LOG): number})
    thread.join(30)
    scorer.close()
    assert ledger.rows("SELECT count(*) FROM agent_run_log WHERE rlhf_scores IS NOT NULL") == [(40,)]


def test_settings_reach_an_agent_whose_row_somebody_deleted(ledger: Ledger) -> None:
    ledger.write([run_record(0, snapshot(1))])
    ledger.rows("DELETE FROM agent RETURNING agent_id")
    told = AgentSettings(PROJECT, AGENT, role="Backend")
    ledger.write([record(SETTINGS, 0, settings_key(PROJECT, AGENT), codec.encode(told))])
    assert ledger.rows("SELECT agent_id, role FROM agent") == [(AGENT, "Backend")]


def test_agents_beyond_what_is_remembered_are_registered_too(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runledger.sinks.writer._MOST_REGISTERED", 3)
    for number in range(8):
        ledger.write([run_record(number, snapshot(number, agent_id=f"agent-{number % 5}"))])
    assert ledger.rows("SELECT count(*) FROM agent") == [(5,)]


def test_texts_are_sent_as_utf8_whatever_the_environment_says(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    ledger.write([run_record(0, snapshot(1, summary="très 🚀"))])
    assert ledger.rows("SELECT summary FROM agent_run") == [("très 🚀",)]


def test_agents_are_registered_again_where_the_transaction_that_named_them_failed(ledger: Ledger) -> None:
    named = fold([run_record(1, snapshot(2, agent_id="nova"))], DEFAULT_RUBRIC)
    ledger.write([run_record(0, snapshot(1))])
    with pytest.raises(PositionConflictError):
        ledger.writer.write(named, {source(RUNS): 0})
    ledger.writer.write(named, {source(RUNS): 1})
    ledger.write([run_record(2, snapshot(3, agent_id="nova"))])
    assert ledger.rows("SELECT count(*) FROM agent WHERE agent_id = 'nova'") == [(1,)]


def test_a_position_moved_while_one_waits_for_it_is_a_conflict(ledger: Ledger) -> None:
    ledger.write([run_record(0, snapshot(1))])
    other = Writer(SinkSettings(postgres=ledger.uri))
    refused: list[PositionConflictError] = []

    def write_late() -> None:
        try:
            _write_second_run(other)
        except PositionConflictError as error:
            refused.append(error)

    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    late = threading.Thread(target=write_late)
    with ledger.writer.connection().transaction():
        advance_positions(ledger.writer.connection(), {source(RUNS): 1}, {source(RUNS): 2})
        late.start()
        deadline = time.monotonic() + 30
        while ledger.rows(waiting) != [(1,)]:
            assert time.monotonic() < deadline, "nobody waits"
            threading.Event().wait(0.02)
    late.join(30)
    other.close()
    assert len(refused) == 1
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(1,)]


def test_rows_held_by_a_process_stopped_in_a_copy_are_freed_by_who_waits_for_them(ledger: Ledger) -> None:
    """No timeout of the server's looks at a session that waits for the text of a COPY."""
    ledger.write([run_record(0, snapshot(1))])
    settings = SinkSettings(postgres=ledger.uri, lock_timeout_seconds=0.5, statement_timeout_seconds=1)
    stopped, owner = Writer(settings, idle_seconds=0.5), Writer(settings)
    held = stopped.connection()
    held.execute("BEGIN")
    advance_positions(held, {source(RUNS): 1}, {source(RUNS): 2})
    held.pgconn.send_query(b"COPY run_event FROM STDIN")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        _write_second_run(owner)
    _write_second_run(owner)
    owner.close()
    stopped.close()
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(2,)]


def test_rows_held_by_a_copy_that_goes_on_are_waited_for(ledger: Ledger) -> None:
    """However slow its line: its session would have to begin anew, and be ended again."""
    ledger.write([run_record(0, snapshot(1))])
    settings = SinkSettings(postgres=ledger.uri, lock_timeout_seconds=0.2)
    slow, owner = Writer(settings), Writer(settings)
    done = threading.Event()
    slow.connection().execute("CREATE TEMP TABLE sent (line text)")
    with slow.connection().transaction():
        advance_positions(slow.connection(), {source(RUNS): 1}, {source(RUNS): 2})
        with slow.connection().cursor().copy("COPY sent FROM STDIN") as copy:

            def send() -> None:
                while not done.wait(0.05):
                    copy.write(b"demo\n" * 20_000)

            sending = threading.Thread(target=send)
            sending.start()
            for _ in range(2):
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    _write_second_run(owner)
            done.set()
            sending.join()
    owner.close()
    slow.close()


def test_a_session_that_holds_rows_without_a_copy_is_left_alone(ledger: Ledger) -> None:
    ledger.write([run_record(0, snapshot(1))])
    settings = SinkSettings(postgres=ledger.uri, lock_timeout_seconds=0.2)
    slow, owner = Writer(settings), Writer(settings)
    with slow.connection().transaction():
        advance_positions(slow.connection(), {source(RUNS): 1}, {source(RUNS): 2})
        with pytest.raises(psycopg.errors.LockNotAvailable):
            _write_second_run(owner)
    owner.close()
    slow.close()
    assert ledger.writer.read_positions([source(RUNS)])[source(RUNS)].next_offset == 2


def _write_second_run(writer: Writer) -> None:
    writer.write(fold([run_record(1, snapshot(2))], DEFAULT_RUBRIC), {source(RUNS): 1})
