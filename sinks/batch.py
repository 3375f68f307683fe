"""A batch of records, folded into the rows one transaction writes; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from runledger.schemas import codec
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.dead_letter_limits import Refusals
from runledger.schemas.dead_letters import DeadLetter, Reason, headers_of
from runledger.schemas.errors import DecodeError
from runledger.schemas.identifiers import agent_key, row_id, run_key, settings_key
from runledger.schemas.lean_events import FailureRecorded, FailureResolved, RunErased
from runledger.schemas.outcomes import Incident, LoggedRun, StreakRevised
from runledger.schemas.quick_events import read_lean
from runledger.schemas.scoring import RunScored
from runledger.schemas.topics import AGENTS, INCIDENTS, RUN_EVENTS, RUN_LOG, RUN_SCORES, RUNS, SETTINGS
from runledger.sinks import rows
from runledger.sinks.decoding import decode_agent, decode_logged, decode_run
from runledger.sinks.records import Partition, Record
from runledger.sinks.rows import EventRow, JobRow, Log, Row, Run

READER = "sink"


@dataclass(slots=True)
class Batch:
    """What one transaction writes: at most one row per key, except for events.

    Args:
        moves: {(topic, partition): next_offset after the batch}.
        events: deliveries of run-events.
        erasures: runs whose rows are deleted: by the order itself (with the offset up to which events go) or by the
            snapshot's tombstone.
        late: births of snapshots seen beside the one in `runs`: rows of another birth are marked late.
        named: (project, agent) of runs, agents and settings; None for what names no agent.
        settings: what operators set, by the record's key.
        dead_letters: records that are no valid record of their topic.
        skipped: records of run-events that could not be decoded: stage 1 puts them in dead-letters.
        refusals: {(topic, partition): counts of dead letters after the batch}.
        refused_events: where events stood that the database refused.
        erased_agents: agents whose rows are deleted before any is written, by the tombstone of their state.
        erased_projects: projects whose figures are deleted, by the tombstone of their settings.
    """

    moves: dict[Partition, int] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)
    failures: dict[tuple[str, UUID, str], Row] = field(default_factory=dict)
    resolutions: dict[tuple[str, UUID, str], Row] = field(default_factory=dict)
    erasures: list[Row] = field(default_factory=list)
    runs: dict[bytes, Run] = field(default_factory=dict)
    late: list[Row] = field(default_factory=list)
    health: dict[bytes, Row] = field(default_factory=dict)
    logs: dict[UUID, Log] = field(default_factory=dict)
    jobs: dict[UUID, JobRow] = field(default_factory=dict)
    streaks: dict[UUID, Row] = field(default_factory=dict)
    incidents: dict[UUID, Row] = field(default_factory=dict)
    scores: dict[UUID, Row] = field(default_factory=dict)
    settings: dict[bytes, Row] = field(default_factory=dict)
    named: set[tuple[str, str | None]] = field(default_factory=set)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    skipped: int = 0
    refusals: dict[Partition, Refusals] = field(default_factory=dict)
    refused_events: list[Row] = field(default_factory=list)
    erased_agents: dict[bytes, Row] = field(default_factory=dict)
    erased_projects: list[Row] = field(default_factory=list)


def fold(records: Iterable[Record], rubric: str, ends: Mapping[Partition, int] | None = None) -> Batch:
    """Fold records, in the order of their offsets, into a batch.

    Args:
        records: of any of the sink's topics.
        rubric: what every logged run is scored by.
        ends: {(topic, partition): offset} up to which the log is known to hold no further record.
    """
    batch = Batch()
    for record in records:
        batch.moves[record.topic, record.partition] = record.offset + 1
        try:
            _add(batch, record, rubric)
        except DecodeError as error:
            if record.suffix == RUN_EVENTS.suffix:
                batch.skipped += 1
            else:
                batch.dead_letters.append(dead_letter(record, error.reason, error.detail))
    for source, offset in (ends or {}).items():
        batch.moves[source] = max(offset, batch.moves.get(source, 0))
    return batch


def dead_letter(record: Record, reason: Reason, detail: str) -> DeadLetter:
    """Give up on a record."""
    return DeadLetter(
        reason=reason,
        detail=detail,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reader=READER,
        key=record.key,
        value=record.value,
        logged_at_ms=round(record.logged_at.timestamp() * 1000),
        original=headers_of(record.read_headers),
    )


def _add(batch: Batch, record: Record, rubric: str) -> None:
    match record.suffix:
        case RUN_EVENTS.suffix:
            _add_event(batch, record)
        case RUNS.suffix:
            _add_run(batch, record)
        case AGENTS.suffix:
            _add_health(batch, record)
        case RUN_LOG.suffix:
            _add_logged(batch, record, rubric)
        case INCIDENTS.suffix:
            incident = codec.decode(Incident, record.value)
            _check_key(record, agent_key(incident.project_key, incident.agent_id))
            held = batch.incidents.get(incident.incident_id)
            if held is None or held["version"] < incident.version:
                batch.incidents[incident.incident_id] = rows.incident_row(incident)
        case RUN_SCORES.suffix:
            score = codec.decode(RunScored, record.value)
            _check_key(record, run_key(score.project_key, score.run_id))
            batch.scores.setdefault(score.job_id, rows.score_row(score))
        case SETTINGS.suffix:
            _add_settings(batch, record)
        case _:
            raise DecodeError("unknown_type", f"the sink reads no topic {record.suffix}")


def refused_event(record: Record) -> Row | None:
    """Note where a run event stood that the database refuses; None of what is no run event."""
    if record.suffix != RUN_EVENTS.suffix:
        return None
    event = read_lean(record.value, record.key)
    return {
        "log_partition": record.partition,
        "log_offset": record.offset,
        "logged_at": record.logged_at,
        "project_key": event.project_key,
        "run_id": event.run_id,
        "event_id": event.event_id,
    }


def _check_key(record: Record, key: bytes) -> None:
    if record.key != key:
        raise DecodeError("wrong_key", "the record's key is not that of its project and run or agent", "key")


def _add_event(batch: Batch, record: Record) -> None:
    event = read_lean(record.value, record.key)
    batch.events.append(rows.event_row(record, event))
    if isinstance(event, FailureRecorded):
        row = rows.failure_row(record, event)
        batch.failures.setdefault((event.project_key, event.run_id, event.event_id), row)
    elif isinstance(event, FailureResolved):
        row = rows.resolution_row(record, event)
        batch.resolutions.setdefault((event.project_key, event.run_id, event.event_id), row)
    elif isinstance(event, RunErased):
        batch.erasures.append(_erasure(event.project_key, event.run_id, record, order=True))


def _erasure(project_key: str, run_id: UUID, record: Record, *, order: bool) -> Row:
    return {
        "project_key": project_key,
        "run_id": run_id,
        "row_id": row_id(project_key, run_id),
        "erased_at": record.logged_at,
        "log_partition": record.partition,
        "before_offset": record.offset if order else None,
        "snapshot": not order,
    }


def _add_run(batch: Batch, record: Record) -> None:
    if record.value is None:
        if record.reason == "erased":
            _add_tombstone(batch, record)
        return
    snapshot = decode_run(record.value)
    key = run_key(snapshot.project_key, snapshot.run_id)
    _check_key(record, key)
    batch.named.add((snapshot.project_key, snapshot.agent_id))
    run, held = Run(record.partition, snapshot), batch.runs.get(key)
    if held is None or held.snapshot.born_offset == snapshot.born_offset:
        if held is None or held.snapshot.version <= snapshot.version:
            batch.runs[key] = run
        return
    # Another life of the run: the first one's totals stand, the row only learns that there is more.
    batch.late.append(run.birth)


def _add_tombstone(batch: Batch, record: Record) -> None:
    try:
        project_key, _, run = (record.key or b"").decode().partition("/")
        run_id = UUID(run)
    except ValueError as error:
        raise DecodeError("wrong_key", "the tombstone's key is no project and run", "key") from error
    batch.runs.pop(run_key(project_key, run_id), None)
    batch.late = [row for row in batch.late if (row["project_key"], row["run_id"]) != (project_key, run_id)]
    batch.erasures.append(_erasure(project_key, run_id, record, order=False))


def _add_health(batch: Batch, record: Record) -> None:
    if record.value is None:
        if record.reason == "erased":
            _erase_agent(batch, record)
        return
    health = decode_agent(record.value)
    key = agent_key(health.project_key, health.agent_id)
    _check_key(record, key)
    batch.named.add((health.project_key, health.agent_id))
    held = batch.health.get(key)
    if held is None or held["version"] < health.version:
        batch.health[key] = rows.health_row(health)


def _erase_agent(batch: Batch, record: Record) -> None:
    named = _cleared(record.key)
    if named.agent_id is None:
        raise DecodeError("wrong_key", "the tombstone's key names no agent", "key")
    key = agent_key(named.project_key, named.agent_id)
    batch.health.pop(key, None)
    batch.incidents = {
        incident_id: row
        for incident_id, row in batch.incidents.items()
        if (row["project_key"], row["agent_id"]) != (named.project_key, named.agent_id)
    }
    batch.named.discard((named.project_key, named.agent_id))
    batch.erased_agents[key] = {"project_key": named.project_key, "agent_id": named.agent_id}


def _add_logged(batch: Batch, record: Record, rubric: str) -> None:
    logged = decode_logged(record.value)
    if isinstance(logged, StreakRevised):
        _check_key(record, agent_key(logged.project_key, logged.agent_id))
        held = batch.logs.get(logged.row_id)
        if held is None:
            batch.streaks[logged.row_id] = rows.streak_row(logged)
        else:
            held.consecutive_silence_count = logged.consecutive_silence_count
            held.consecutive_failure_count = logged.consecutive_failure_count
        return
    _check_key(record, agent_key(logged.outcome.project_key, logged.outcome.agent_id))
    _add_outcome(batch, record, logged, rubric)


def _add_outcome(batch: Batch, record: Record, logged: LoggedRun, rubric: str) -> None:
    row = logged.outcome.row_id
    if row not in batch.jobs:
        batch.jobs[row] = rows.job_row(record, logged, rubric)
    held = batch.logs.get(row)
    if held is None or held.logged.outcome.revision < logged.outcome.revision:
        batch.logs[row] = Log(record, logged, logged.consecutive_silence_count, logged.consecutive_failure_count)
        batch.streaks.pop(row, None)


def _add_settings(batch: Batch, record: Record) -> None:
    """Take what an operator set; of several records with one key the last one holds, and a tombstone clears."""
    settings = _cleared(record.key) if record.value is None else codec.decode(AgentSettings, record.value)
    key = settings_key(settings.project_key, settings.agent_id)
    _check_key(record, key)
    batch.settings[key] = rows.settings_row(record, settings)
    if record.reason == "erased" and settings.agent_id is None:
        batch.erased_projects.append({"project_key": settings.project_key})
    if record.value is not None:
        batch.named.add((settings.project_key, settings.agent_id))


def _cleared(key: bytes | None) -> AgentSettings:
    try:
        project_key, slash, agent_id = (key or b"").decode().partition("/")
    except UnicodeDecodeError as error:
        raise DecodeError("wrong_key", "the tombstone's key is no project and agent", "key") from error
    if not project_key or (slash and not agent_id):
        raise DecodeError("wrong_key", "the tombstone's key is no project and agent", "key")
    return AgentSettings(project_key, agent_id or None)
