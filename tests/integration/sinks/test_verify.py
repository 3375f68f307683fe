"""The recount agrees with the processors, and is not blind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runledger.processors import ledger as ledger_of_processors
from runledger.processors.steps import At
from runledger.schemas.identifiers import row_id
from runledger.schemas.lean_events import lean
from runledger.schemas.run_events import (
    EndedData,
    LoggedData,
    RunEnded,
    RunErased,
    RunHeartbeat,
    RunLogged,
    RunTimedOut,
    TimedOutData,
)
from runledger.schemas.snapshots import RunSnapshot
from runledger.sinks.verify import Report, verify
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import Story, random_story
from tests.unit.sinks.build import (
    NOON,
    PROJECT,
    event_record,
    run_number,
    run_record,
    score,
    score_record,
    snapshot,
    tombstone,
)

pytestmark = pytest.mark.integration


def _verify(ledger: Ledger) -> Report:
    return verify(ledger.connection)


@pytest.fixture
def story(ledger: Ledger) -> Story:
    """A story whose records stand in the ledger."""
    told = random_story(7, 300, 40, 3)
    ledger.write(told.records)
    ledger.write([score_record(0, score(run)) for run in range(1) if _is_logged(ledger, run)])
    return told


def _is_logged(ledger: Ledger, run: int) -> bool:
    return ledger.rows("SELECT 1 FROM agent_run_log WHERE id = %s", row_id(PROJECT, run_number(run))) != []


@pytest.mark.parametrize("seed", range(12))
def test_verify_agrees_with_the_reducers_on_any_story(ledger: Ledger, seed: int) -> None:
    events, runs, agents = [(60, 5, 2), (300, 40, 3), (400, 150, 2)][seed % 3]
    ledger.write(random_story(seed, events, runs, agents).records)
    report = _verify(ledger)
    assert report.differences == ()
    assert report.clean
    assert report.deliveries == events


# Changes are made as an outsider would make them: by SQL, past the writer.
_RUN = "(SELECT run_id FROM agent_run WHERE agent_id IS NOT NULL ORDER BY run_id LIMIT 1)"
_LOGGED = "(SELECT run_id FROM agent_run_log WHERE NOT late ORDER BY ended_at DESC LIMIT 1)"


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        ("UPDATE agent_run SET input_tokens = coalesce(input_tokens, 0) + 1", "run_differs", "input_tokens"),
        ("UPDATE agent_run SET llm_calls = coalesce(llm_calls, 0) + 1", "run_differs", "llm_calls"),
        ("UPDATE agent_run SET cost_usd = cost_usd + 0.0000000001", "run_differs", "cost_usd"),
        ("UPDATE agent_run SET status = 'lost' WHERE run_id = $run", "run_differs", "status"),
        ("UPDATE agent_run SET reported = reported || '{\"llm_calls\": 77}'", "run_differs", "reported"),
        ("DELETE FROM agent_run WHERE run_id = $run", "run_missing", "agent_run"),
        ("DELETE FROM agent_run_log WHERE run_id = $logged", "log_row_missing", "agent_run_log"),
        ("UPDATE agent_run_log SET status = 'lost' WHERE run_id = $logged", "log_row_differs", "status"),
        ("UPDATE agent_run_log SET silent = NOT silent WHERE run_id = $logged", "log_row_differs", "silent"),
        (
            "UPDATE agent_run_log SET consecutive_silence_count = 9 WHERE run_id = $logged",
            "streak_differs",
            "consecutive_silence_count",
        ),
        (
            "UPDATE agent_run_log SET consecutive_failure_count = 9 WHERE run_id = $logged",
            "streak_differs",
            "consecutive_failure_count",
        ),
        ("UPDATE agent_run_log SET late = true WHERE run_id = $logged", "late_unfounded", "late"),
        ("UPDATE agent_health SET consecutive_failure_count = 77", "agent_differs", "consecutive_failure_count"),
        ("UPDATE agent_health SET consecutive_silence_count = 77", "agent_differs", "consecutive_silence_count"),
        ("UPDATE agent_health SET finished_runs = finished_runs + 1", "agent_differs", "finished_runs"),
        ("DELETE FROM agent_health", "agent_missing", "agent_health"),
        ("DELETE FROM run_failure", "failure_missing", None),
        ("UPDATE failure_group SET failure_count = failure_count + 1", "failure_group_differs", "failure_count"),
        (
            "UPDATE failure_group SET resolved_at = resolved_at + interval '1 second'",
            "failure_group_differs",
            "resolved_at",
        ),
        ("UPDATE failure_group SET resolved_by_run_id = run_id FROM run_failure", "failure_group_differs", None),
        ("DELETE FROM failure_task", "failure_task_differs", None),
        ("UPDATE failure_task SET resolved_at = NULL WHERE task_id = 'build'", "failure_task_differs", None),
        ("DELETE FROM task_completion", "task_completion_differs", None),
        ("DELETE FROM failure_resolution", "resolution_missing", None),
        ("UPDATE failure_resolution SET note = 'x'", "resolution_differs", "note"),
        ("DELETE FROM scoring_outbox", "job_missing", "scoring_outbox"),
        ("DELETE FROM run_score", "score_differs", "rlhf_scores"),
        ("UPDATE run_rollup SET failed = failed + 1", "rollup_differs", None),
        ("UPDATE consumer_offset SET next_offset = 5", "event_beyond_position", "log_offset"),
    ],
)
@pytest.mark.usefixtures("story")
def test_verify_names_what_was_changed_by_hand(ledger: Ledger, change: str, kind: str, field: str | None) -> None:
    assert _verify(ledger).clean
    change = change.replace("$run", _RUN).replace("$logged", _LOGGED)
    assert ledger.connection.execute(change.encode()).rowcount > 0
    named = {(one.kind, one.field) for one in _verify(ledger).differences}
    assert (kind, field) in named if field else kind in {name for name, _ in named}


@pytest.mark.parametrize(
    "type_",
    ["run.started", "usage.reported", "run.ended", "run.logged", "run.recorded", "failure.recorded", "run.heartbeat"],
)
@pytest.mark.usefixtures("story")
def test_verify_names_the_run_of_a_deleted_event(ledger: Ledger, type_: str) -> None:
    deleted = ledger.rows(
        "DELETE FROM run_event WHERE log_offset = (SELECT max(log_offset) FROM run_event AS e WHERE type = %s"
        " AND (SELECT count(*) FROM run_event AS o WHERE o.event_id = e.event_id) = 1) RETURNING run_id::text",
        f"runledger.{type_}.v1",
    )
    assert len(deleted) == 1
    assert deleted[0][0] in {one.subject for one in _verify(ledger).differences}


def test_verify_names_a_timeout_that_was_deleted(ledger: Ledger) -> None:
    ledger.write(random_story(4, 300, 40, 3).records)
    deleted = ledger.rows(
        "DELETE FROM run_event WHERE (run_id, event_id) IN (SELECT run_id, end_event_id FROM agent_run WHERE inferred)"
        " RETURNING run_id::text"
    )
    assert deleted
    assert {subject for (subject,) in deleted} <= {one.subject for one in _verify(ledger).differences}


def test_verify_says_what_is_expected_and_what_was_found(ledger: Ledger) -> None:
    ledger.write([event_record(0, _beat(0)), run_record(0, _stub())])
    assert _verify(ledger).clean
    ledger.connection.execute("UPDATE agent_run SET events = 5")
    (one,) = _verify(ledger).differences
    assert (one.kind, one.project_key, one.subject, one.field, one.expected, one.found) == (
        "run_differs",
        PROJECT,
        str(run_number(1)),
        "events",
        "1",
        "5",
    )


def test_verify_knows_late_events_as_a_class_of_their_own(ledger: Ledger) -> None:
    ledger.write([event_record(0, _beat(0)), run_record(0, _stub())])
    again = snapshot(1, born_offset=1, version=2)
    ledger.write([event_record(1, _beat(1)), tombstone(1, 1, "evicted"), run_record(2, again)])
    report = _verify(ledger)
    assert report.differences == ()
    assert (report.late_runs, report.late_events) == (1, 1)


def test_verify_is_clean_after_an_erasure(ledger: Ledger) -> None:
    told = random_story(3, 300, 40, 3)
    ledger.write(told.records)
    after = ledger.rows("SELECT max(log_offset) + 1 FROM run_event")[0][0]
    order = RunErased(event_id="erase", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON)
    ends = ledger.rows("SELECT next_offset FROM consumer_offset WHERE topic LIKE '%%.runs'")[0][0]
    ledger.write([event_record(after, order), tombstone(max(ends, 10_000), 1, "erased")])
    report = _verify(ledger)
    assert report.differences == ()
    assert report.agents_not_compared > 0


def test_verify_compares_no_streaks_that_a_revision_from_beyond_the_window_left_behind(ledger: Ledger) -> None:
    """The failure stands in the streaks of all that came after it, and only the last 32 are still known."""
    told = Story()
    told.tell([_beat(0)])
    given_up = TimedOutData(last_version=1)
    told.tell([RunTimedOut(event_id="t", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON, data=given_up)])
    told.tell([_cycle(minute) for minute in range(1, 35)])
    ledger.write(told.records)
    assert _verify(ledger).agents_not_compared == 0
    end = RunEnded(
        event_id="end",
        project_key=PROJECT,
        run_id=run_number(1),
        occurred_at=NOON + timedelta(hours=2),
        data=EndedData(status="completed", summary="done after all"),
    )
    before = len(told.records)
    ledger.write(told.tell([end])[before:])
    report = _verify(ledger)
    assert report.differences == ()
    assert report.agents_not_compared == 1


def test_verify_leaves_nothing_behind(ledger: Ledger) -> None:
    _verify(ledger)
    _verify(ledger)
    assert ledger.rows("SELECT count(*) FROM pg_class WHERE relname LIKE 'recounted%%'") == [(0,)]


def _beat(offset: int) -> RunHeartbeat:
    return RunHeartbeat(
        event_id=f"h-{offset}",
        project_key=PROJECT,
        run_id=run_number(1),
        occurred_at=NOON + timedelta(seconds=offset),
        agent_id="sage",
    )


def _cycle(minute: int) -> RunLogged:
    """Return a partial run, which leaves the failing streak as it is."""
    return RunLogged(
        event_id=f"cycle-{minute}",
        project_key=PROJECT,
        run_id=run_number(100 + minute),
        occurred_at=NOON + timedelta(minutes=minute),
        agent_id="sage",
        data=LoggedData(status="partial", actions_taken={"summary": "half"}),
    )


def _stub() -> RunSnapshot:
    """Return what the first heartbeat makes of a run."""
    step = ledger_of_processors.apply(None, lean(_beat(0)), At(0, NOON))
    assert step.state is not None
    return step.state
