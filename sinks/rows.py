"""One record to the row it means; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias, get_args
from uuid import UUID

import msgspec
import orjson
import psycopg

from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.errors import DecodeError
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.identifiers import NAMESPACE, job_id, run_key, uuid5
from runledger.schemas.lean_events import FailureRecorded, FailureResolved, LeanEvent
from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome, StreakRevised
from runledger.schemas.scoring import RunScored
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.sinks.decoding import split_logged
from runledger.sinks.records import Record

Row: TypeAlias = dict[str, Any]
"""{column: value}, fit for JSON."""

EventRow: TypeAlias = tuple[date, int, int, datetime, str, UUID, str, datetime, str, str | None, str, bytes]
"""One row of run_event, in the order of EVENT_COLUMNS."""

JobRow: TypeAlias = tuple[UUID, UUID, str, str]
"""One row of scoring_outbox, in the order of JOB_COLUMNS."""

EVENT_COLUMNS = (
    "log_day",
    "log_partition",
    "log_offset",
    "logged_at",
    "project_key",
    "run_id",
    "type",
    "occurred_at",
    "event_id",
    "agent_id",
    "source",
    "data",
)
PLAIN_EVENT_COLUMNS = EVENT_COLUMNS.index("event_id")
"""So many of them hold plain values, as `copy_lines` means it."""

_PLAIN_SNAPSHOT_COLUMNS = (
    "run_id",
    "born_offset",
    "version",
    "last_logged_at",
    "kind",
    "status",
    "started_at",
    "parent_run_id",
    "ended_at",
    "end_logged_at",
    "outcome",
    "last_occurred_at",
    "cost_source",
    "reported_cost_source",
    "final_cost_source",
    "usage_mismatch",
    "events",
    "failures",
    "traces",
    "inferred",
    "timed_out",
    "end_conflict",
    "clock_clamped",
    "outcome_revision",
)
_USAGE_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cost_usd",
    "llm_calls",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
_SNAPSHOT_COLUMNS = (
    "project_key",
    "agent_id",
    "start_event_id",
    "summary",
    "task_id",
    "end_event_id",
    "end_summary",
    "actions_taken",
    "reported",
    "final",
    "models",
)
RUN_COLUMNS = (
    *_PLAIN_SNAPSHOT_COLUMNS,
    *_USAGE_COLUMNS,
    "row_id",
    "log_partition",
    "late_events",
    "heard_at",
    *_SNAPSHOT_COLUMNS,
)
"""Columns of agent_run, in the order of a run's row."""
PLAIN_RUN_COLUMNS = len(RUN_COLUMNS) - len(_SNAPSHOT_COLUMNS)

_HEALTH_COLUMNS = (
    "project_key",
    "agent_id",
    "version",
    "last_logged_at",
    "last_ended_at",
    "last_status",
    "finished_runs",
    "consecutive_silence_count",
    "consecutive_failure_count",
)
_SETTINGS_COLUMNS = (
    "project_key",
    "agent_id",
    "name",
    "role",
    "expected_interval_seconds",
    "deadline_seconds",
    "silence_threshold",
    "failure_threshold",
)
_PLAIN_OUTCOME_COLUMNS = ("run_id", "revision", "kind", "status", "run_status", "inferred", "silent", "ended_at")
_OUTCOME_COLUMNS = ("project_key", "agent_id", "action_summary", "actions_taken")
LOG_COLUMNS = (
    "id",
    "run_at",
    "consecutive_silence_count",
    "consecutive_failure_count",
    "late",
    "log_partition",
    "log_offset",
    *_PLAIN_OUTCOME_COLUMNS,
    *_OUTCOME_COLUMNS,
)
"""Columns of agent_run_log, in the order of a logged run's row."""
PLAIN_LOG_COLUMNS = len(LOG_COLUMNS) - len(_OUTCOME_COLUMNS)

JOB_COLUMNS = ("job_id", "row_id", "key", "payload")
"""Columns of scoring_outbox, in the order of a job's row."""
PLAIN_JOB_COLUMNS = JOB_COLUMNS.index("key")

_plain_values = attrgetter(*_PLAIN_SNAPSHOT_COLUMNS, *(f"usage.{name}" for name in _USAGE_COLUMNS))
_other_values = attrgetter(*_SNAPSHOT_COLUMNS)
_outcome_values = attrgetter(*_PLAIN_OUTCOME_COLUMNS, *_OUTCOME_COLUMNS)
_TYPES = {form: str(form.__struct_config__.tag) for form in get_args(LeanEvent)}
_write_json = msgspec.json.Encoder().encode


def as_json(rows: Iterable[Row]) -> str:
    """Write rows as a statement takes them: a JSON array.

    Raises:
        psycopg.DataError: a value cannot be sent: too wide an integer, too deep an object.
    """
    try:
        return orjson.dumps(list(rows), default=json_of).decode()
    except orjson.JSONEncodeError as error:
        raise psycopg.DataError(str(error)) from error


def uuid_array(ids: Iterable[UUID]) -> str:
    """Write ids as the text of an array."""
    return f"{{{orjson.dumps(list(ids))[1:-1].decode()}}}"  # a JSON array is one, but for its brackets


def named(runs: Sequence[RunSnapshot | RunOutcome]) -> dict[str, Any]:
    """Name runs as statements take many of them."""
    return {"project_keys": [run.project_key for run in runs], "run_ids": uuid_array(run.run_id for run in runs)}


def json_of(value: object) -> str:
    """Write what JSON has no form for: a cost, as text."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def event_row(record: Record, event: LeanEvent) -> EventRow:
    """Row of run_event: one delivery."""
    return (
        record.logged_at.date(),
        record.partition,
        record.offset,
        record.logged_at,
        event.project_key,
        event.run_id,
        _TYPES[event.__class__],
        event.occurred_at,
        event.event_id,
        event.agent_id,
        event.source,
        _write_json(event.data),
    )


def failure_row(record: Record, event: FailureRecorded) -> Row:
    """Row of run_failure. An agent whose clock is ahead cannot have failed after the log heard of it."""
    data = event.data
    return {
        "project_key": event.project_key,
        "run_id": event.run_id,
        "event_id": event.event_id,
        "agent_id": event.agent_id,
        "task_id": data.task_id,
        "fingerprint": fingerprint(event.project_key, data.error or data.summary),
        "summary": data.summary,
        "error": data.error,
        "context": data.context,
        "meta": data.meta,
        "detached": data.detached,
        "occurred_at": min(event.occurred_at, record.logged_at),
        "logged_at": record.logged_at,
        "log_partition": record.partition,
        "log_offset": record.offset,
    }


def resolution_row(record: Record, event: FailureResolved) -> Row:
    """Row of failure_resolution. Nobody can have resolved a failure after the log heard of it."""
    return {
        "project_key": event.project_key,
        "run_id": event.run_id,
        "event_id": event.event_id,
        "fingerprint": event.data.fingerprint,
        "agent_id": event.agent_id,
        "resolved_by": event.data.by,
        "note": event.data.note,
        "resolved_at": min(event.occurred_at, record.logged_at),
        "logged_at": record.logged_at,
        "log_partition": record.partition,
        "log_offset": record.offset,
    }


class Run(msgspec.Struct, frozen=True, gc=False):
    """What becomes a row of agent_run.

    Args:
        partition: of runs, and so of run-events.
        snapshot: the newest of the run.
    """

    partition: int
    snapshot: RunSnapshot

    @property
    def birth(self) -> Row:
        """The run and the life of it that the snapshot tells."""
        told = self.snapshot
        return {"project_key": told.project_key, "run_id": told.run_id, "born_offset": told.born_offset}


class Log(msgspec.Struct, gc=False):
    """What becomes a row of agent_run_log; its streaks may still be revised.

    Args:
        record: that told it.
        logged: what it told.
    """

    record: Record
    logged: LoggedRun
    consecutive_silence_count: int
    consecutive_failure_count: int


def run_row(run: Run) -> tuple[Any, ...]:
    """Row of agent_run, in the order of RUN_COLUMNS."""
    snapshot = run.snapshot
    row = _row_id(run_key(snapshot.project_key, snapshot.run_id))
    heard_at = snapshot.heard_at or snapshot.last_logged_at  # state of an older processor does not tell
    return (*_plain_values(snapshot), row, run.partition, False, heard_at, *_other_values(snapshot))


@lru_cache(16_384)
def _row_id(key: bytes) -> UUID:
    return uuid5(NAMESPACE, key)  # as identifiers.row_id; open runs are heard of again and again


def health_row(health: AgentHealth) -> Row:
    """Row of agent_health."""
    return {name: getattr(health, name) for name in _HEALTH_COLUMNS}


def log_row(log: Log) -> tuple[Any, ...]:
    """Row of agent_run_log, in the order of LOG_COLUMNS."""
    outcome = log.logged.outcome
    return (
        outcome.row_id,
        outcome.logged_at,
        log.consecutive_silence_count,
        log.consecutive_failure_count,
        log.logged.late,
        log.record.partition,
        log.record.offset,
        *_outcome_values(outcome),
    )


def streak_row(revised: StreakRevised) -> Row:
    """Streaks of a row of agent_run_log."""
    return {
        "id": revised.row_id,
        "consecutive_silence_count": revised.consecutive_silence_count,
        "consecutive_failure_count": revised.consecutive_failure_count,
    }


def job_row(record: Record, logged: LoggedRun, rubric: str) -> JobRow:
    """Row of scoring_outbox: the one job that scores the run.

    The payload is a ScoringJob; most of it is taken from the record as it is, which costs a quarter of writing it anew.

    Raises:
        DecodeError: the record is not UTF-8.
    """
    outcome = logged.outcome
    job = job_id(outcome.row_id, rubric)
    told, baseline = split_logged(record.value)
    head = orjson.dumps({"job_id": job, "rubric": rubric, "schema_version": 1})
    payload = b'%b,"outcome":%b,"baseline":%b}' % (head[:-1], told, baseline)
    key = run_key(outcome.project_key, outcome.run_id).decode()
    try:
        return job, outcome.row_id, key, payload.decode()
    except UnicodeDecodeError as error:  # within a field that nobody reads, and so nobody has looked at
        raise DecodeError("not_json", "not JSON: not UTF-8") from error


def incident_row(incident: Incident) -> Row:
    """Row of incident."""
    return {
        "incident_id": incident.incident_id,
        "project_key": incident.project_key,
        "agent_id": incident.agent_id,
        "kind": incident.kind,
        "state": incident.state,
        "threshold": incident.threshold,
        "run_id": incident.run_id,
        "opened_at": incident.opened_at,
        "version": incident.version,
        "recovered_at": incident.recovered_at,
        "recovered_run_id": incident.recovered_run_id,
    }


def score_row(score: RunScored) -> Row:
    """Row of run_score."""
    return {
        "job_id": score.job_id,
        "row_id": score.row_id,
        "project_key": score.project_key,
        "run_id": score.run_id,
        "agent_id": score.agent_id,
        "rubric": score.rubric,
        "scorer": score.scorer,
        "overall": score.overall,
        "dimensions": score.dimensions,
        "scored_at": score.scored_at,
    }


def settings_row(record: Record, settings: AgentSettings) -> Row:
    """Row of agent, or of project where no agent is named; a project has no role and does not retire."""
    row = {name: getattr(settings, name) for name in _SETTINGS_COLUMNS}
    return row | {"retired": bool(settings.retired), "settings_offset": record.offset}
