from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace as changed

from runledger.schemas import codec
from runledger.schemas.identifiers import job_id, row_id, run_key
from runledger.schemas.outcomes import LoggedRun
from runledger.schemas.run_events import FailureResolved, ResolvedData, RunHeartbeat
from runledger.schemas.scoring import DEFAULT_RUBRIC, ScoringJob
from runledger.schemas.topics import AGENTS, INCIDENTS, RUN_EVENTS, RUN_LOG, RUN_SCORES, RUNS, SETTINGS, Topic
from runledger.schemas.usage import UsageTotals
from runledger.sinks.batch import fold
from runledger.sinks.rows import RUN_COLUMNS, run_row
from tests.unit.sinks.build import (
    AGENT,
    NOON,
    PROJECT,
    event_record,
    health_record,
    logged_record,
    outcome,
    record,
    run_number,
    run_record,
    settings_record,
    settings_tombstone,
    snapshot,
    source,
    streak_record,
    tombstone,
)

_ROW = row_id(PROJECT, run_number(1))


def test_fold_moves_each_partition_past_its_last_record() -> None:
    records = [run_record(4, snapshot(1)), run_record(9, snapshot(2), partition=1), run_record(7, snapshot(3))]
    assert fold(records, DEFAULT_RUBRIC).moves == {source(RUNS): 8, source(RUNS, 1): 10}


def test_fold_moves_past_the_markers_behind_the_last_record() -> None:
    ends = {source(RUNS): 6, source(AGENTS): 3}
    assert fold([run_record(4, snapshot(1))], DEFAULT_RUBRIC, ends).moves == ends


def test_fold_keeps_the_newest_snapshot_of_a_run() -> None:
    batch = fold([run_record(0, snapshot(1, version=2)), run_record(1, snapshot(1, version=4))], DEFAULT_RUBRIC)
    assert [run.snapshot.version for run in batch.runs.values()] == [4]
    assert batch.late == []


def test_fold_keeps_the_first_birth_and_notes_the_other() -> None:
    records = [run_record(0, snapshot(1, version=2)), run_record(1, snapshot(1, born_offset=8, version=9))]
    batch = fold(records, DEFAULT_RUBRIC)
    assert [run.snapshot.born_offset for run in batch.runs.values()] == [0]
    assert [row["born_offset"] for row in batch.late] == [8]


def test_fold_forgets_what_came_before_an_erasure() -> None:
    batch = fold([run_record(0, snapshot(1)), tombstone(1, 1, "erased")], DEFAULT_RUBRIC)
    assert not batch.runs
    assert [row["row_id"] for row in batch.erasures] == [_ROW]


def test_fold_ignores_an_eviction() -> None:
    batch = fold([run_record(0, snapshot(1)), tombstone(1, 1, "evicted")], DEFAULT_RUBRIC)
    assert len(batch.runs) == 1
    assert not batch.erasures


def test_fold_applies_streaks_in_the_order_of_the_log() -> None:
    records = [
        streak_record(0, 1, silence=1),
        logged_record(1, outcome(1), silence=2),
        streak_record(2, 1, silence=3),
    ]
    batch = fold(records, DEFAULT_RUBRIC)
    assert batch.logs[_ROW].consecutive_silence_count == 3
    assert not batch.streaks


def test_fold_makes_the_job_of_the_first_revision() -> None:
    records = [logged_record(0, outcome(1, status="failed")), logged_record(1, outcome(1, revision=2))]
    batch = fold(records, DEFAULT_RUBRIC)
    assert batch.logs[_ROW].logged.outcome.status == "success"
    assert '"revision":1' in batch.jobs[_ROW][-1]


def test_fold_makes_a_job_that_workers_read() -> None:
    told = replace(outcome(1), actions_taken={"said": 'é \n "'}, usage=UsageTotals(cost_usd=Decimal("0.1")))
    batch = fold([logged_record(0, told)], DEFAULT_RUBRIC)
    logged = codec.decode_run_log(logged_record(0, told).value)
    assert isinstance(logged, LoggedRun)
    job = ScoringJob(job_id(_ROW, DEFAULT_RUBRIC), DEFAULT_RUBRIC, told, logged.baseline)
    assert codec.decode(ScoringJob, batch.jobs[_ROW][-1].encode()) == job


def test_fold_dead_letters_a_logged_run_with_bytes_that_are_no_text_in_a_field_of_nobodys() -> None:
    good = logged_record(0, outcome(1))
    bad = changed(good, value=(good.value or b"").replace(b'"run_status"', b'"later":"\xff","run_status"'))
    batch = fold([bad], DEFAULT_RUBRIC)
    assert [letter.reason for letter in batch.dead_letters] == ["not_json"]
    assert not batch.logs
    assert not batch.jobs


def test_fold_keeps_the_newest_health_of_an_agent() -> None:
    batch = fold([health_record(0, version=3), health_record(1, version=2)], DEFAULT_RUBRIC)
    assert [row["version"] for row in batch.health.values()] == [3]


def test_fold_skips_and_counts_undecodable_events_for_stage_1_to_dead_letter() -> None:
    beat = RunHeartbeat(event_id="h", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON)
    batch = fold([record(RUN_EVENTS, 0, b"demo/x", b"{"), event_record(1, beat)], DEFAULT_RUBRIC)
    assert (batch.skipped, len(batch.events), batch.dead_letters) == (1, 1, [])


@pytest.mark.parametrize("topic", [RUNS, AGENTS, RUN_LOG, INCIDENTS, RUN_SCORES, SETTINGS])
def test_fold_dead_letters_what_is_no_record_of_its_topic(topic: Topic) -> None:
    batch = fold([record(topic, 5, b"key", b'{"a": 1}')], DEFAULT_RUBRIC)
    assert [(letter.topic, letter.offset, letter.reader) for letter in batch.dead_letters] == [
        (topic.name("runledger."), 5, "sink")
    ]
    assert batch.moves == {source(topic): 6}


def test_fold_dead_letters_a_record_under_another_key() -> None:
    state = snapshot(1)
    good = run_record(0, state)
    batch = fold([record(RUNS, 0, run_key("other", state.run_id), good.value)], DEFAULT_RUBRIC)
    assert [letter.reason for letter in batch.dead_letters] == ["wrong_key"]


def test_fold_dead_letters_a_tombstone_whose_key_names_no_run() -> None:
    batch = fold([record(RUNS, 0, b"nonsense", None, reason="erased")], DEFAULT_RUBRIC)
    assert [letter.reason for letter in batch.dead_letters] == ["wrong_key"]


def test_fold_names_the_agents_of_runs_health_and_settings_but_not_of_tombstones() -> None:
    records = [
        run_record(0, snapshot(1, agent_id=None)),
        run_record(1, snapshot(2, agent_id="nova")),
        health_record(0),
        settings_record(0, "atlas"),
        settings_record(1, None, deadline_seconds=5),
        settings_tombstone(2, "gone"),
    ]
    named = fold(records, DEFAULT_RUBRIC).named
    assert named == {(PROJECT, None), (PROJECT, "nova"), (PROJECT, AGENT), (PROJECT, "atlas")}


def test_fold_keeps_the_last_settings_of_an_agent() -> None:
    batch = fold([settings_record(3, name="Sage", role="Backend"), settings_record(5, name="Sage")], DEFAULT_RUBRIC)
    assert [(row["name"], row["role"], row["settings_offset"]) for row in batch.settings.values()] == [
        ("Sage", None, 5)
    ]


def test_fold_clears_the_settings_of_a_tombstone() -> None:
    batch = fold([settings_record(3, name="Sage", retired=True), settings_tombstone(4)], DEFAULT_RUBRIC)
    (row,) = batch.settings.values()
    assert (row["agent_id"], row["name"], row["retired"], row["settings_offset"]) == (AGENT, None, False, 4)


def test_fold_clears_the_settings_of_an_agent_whose_name_holds_a_slash() -> None:
    (row,) = fold([settings_tombstone(0, "team/sage")], DEFAULT_RUBRIC).settings.values()
    assert (row["project_key"], row["agent_id"]) == (PROJECT, "team/sage")


@pytest.mark.parametrize("key", [None, b"", b"\xff/sage", b"/sage", b"demo/"], ids=repr)
def test_fold_dead_letters_a_tombstone_of_settings_whose_key_names_nobody(key: bytes | None) -> None:
    batch = fold([record(SETTINGS, 0, key, None)], DEFAULT_RUBRIC)
    assert [letter.reason for letter in batch.dead_letters] == ["wrong_key"]
    assert not batch.settings


def test_fold_dead_letters_settings_under_another_agents_key() -> None:
    misplaced = changed(settings_record(0), key=settings_record(0, "nova").key)
    batch = fold([misplaced], DEFAULT_RUBRIC)
    assert [letter.reason for letter in batch.dead_letters] == ["wrong_key"]
    assert not batch.named


@pytest.mark.parametrize("heard", [None, 7])
def test_a_run_of_an_older_processor_was_heard_when_it_was_logged_last(heard: int | None) -> None:
    heard_at = None if heard is None else NOON + timedelta(seconds=heard)
    (run,) = fold([run_record(0, snapshot(1, version=90, heard_at=heard_at))], DEFAULT_RUBRIC).runs.values()
    row = dict(zip(RUN_COLUMNS, run_row(run), strict=True))
    assert row["heard_at"] == (heard_at or NOON + timedelta(seconds=90))


def test_fold_keeps_the_first_delivery_of_a_word_and_dates_none_ahead_of_the_log() -> None:
    said = FailureResolved(
        event_id="w",
        project_key=PROJECT,
        run_id=run_number(1),
        agent_id="medic",
        occurred_at=NOON + timedelta(days=1),
        data=ResolvedData(fingerprint="0" * 64, note="grew the pool", by="ops"),
    )
    again = said.model_copy(update={"data": ResolvedData(fingerprint="1" * 64)})
    batch = fold([event_record(3, said), event_record(4, again)], DEFAULT_RUBRIC)
    assert list(batch.resolutions.values()) == [
        {
            "project_key": PROJECT,
            "run_id": run_number(1),
            "event_id": "w",
            "fingerprint": "0" * 64,
            "agent_id": "medic",
            "resolved_by": "ops",
            "note": "grew the pool",
            "resolved_at": NOON + timedelta(seconds=3),
            "logged_at": NOON + timedelta(seconds=3),
            "log_partition": 0,
            "log_offset": 3,
        }
    ]
