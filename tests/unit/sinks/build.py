"""Records as the sink reads them, built by the codec that the writers of the topics use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import encode, encode_event
from runledger.schemas.identifiers import agent_key, incident_id, job_id, row_id, run_key, settings_key
from runledger.schemas.outcomes import Baseline, Incident, LoggedRun, OutcomeStatus, RunOutcome, StreakRevised
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.scoring import DEFAULT_RUBRIC, RunScored
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import AGENTS, INCIDENTS, RUN_EVENTS, RUN_LOG, RUN_SCORES, RUNS, SETTINGS, Topic
from runledger.schemas.usage import UsageTotals
from runledger.sinks.records import Partition, Record

PREFIX = "runledger."
PROJECT = "demo"
AGENT = "sage"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_NAMESPACE = UUID(int=7)


def run_number(number: int) -> UUID:
    """Return the same run id for the same number."""
    return uuid5(_NAMESPACE, str(number))


def record(
    topic: Topic, offset: int, key: bytes | None, value: bytes | None, *, partition: int = 0, reason: str | None = None
) -> Record:
    """Return a record logged `offset` seconds after noon."""
    logged_at = NOON + timedelta(seconds=offset)
    return Record(topic.name(PREFIX), topic.suffix, partition, offset, logged_at, key, value, reason)


def source(topic: Topic, partition: int = 0) -> Partition:
    """Return the place records of a topic stand in."""
    return topic.name(PREFIX), partition


def event_record(offset: int, event: AnyRunEvent, partition: int = 0) -> Record:
    """Return a delivery of an event."""
    key = run_key(event.project_key, event.run_id)
    return record(RUN_EVENTS, offset, key, encode_event(event), partition=partition)


def snapshot(run: int, *, born_offset: int = 0, version: int = 1, **fields: Any) -> RunSnapshot:  # noqa: ANN401
    """Return a run that has used `version` tokens."""
    usage = UsageTotals(input_tokens=version, total_tokens=version)
    known: dict[str, Any] = {
        "agent_id": AGENT,
        "usage": usage,
        "reported": usage,
        "events": version - born_offset,
    } | fields
    return RunSnapshot(PROJECT, run_number(run), born_offset, version, NOON + timedelta(seconds=version), **known)


def run_record(offset: int, state: RunSnapshot, partition: int = 0) -> Record:
    """Return a record of runs."""
    return record(RUNS, offset, run_key(state.project_key, state.run_id), encode(state), partition=partition)


def tombstone(offset: int, run: int, reason: str) -> Record:
    """Return a tombstone of runs."""
    return record(RUNS, offset, run_key(PROJECT, run_number(run)), None, reason=reason)


def outcome(run: int, *, revision: int = 1, status: OutcomeStatus = "success", ended: int | None = None) -> RunOutcome:
    """Return the outcome of a run that ended and was logged `run` minutes after noon."""
    at = NOON + timedelta(minutes=run if ended is None else ended)
    return RunOutcome(
        project_key=PROJECT,
        agent_id=AGENT,
        run_id=run_number(run),
        row_id=row_id(PROJECT, run_number(run)),
        revision=revision,
        kind="lifecycle",
        status=status,
        run_status="failed" if status == "failed" else "completed",
        inferred=False,
        silent=False,
        ended_at=at,
        logged_at=at,
        actions_taken={"summary": f"run {run}, revision {revision}"},
        action_summary=f"run {run}, revision {revision}",
        usage=UsageTotals(),
    )


def logged_record(offset: int, said: RunOutcome, *, silence: int = 0, failures: int = 0, late: bool = False) -> Record:
    """Return a logged run with its streaks."""
    logged = LoggedRun(said, silence, failures, late, Baseline(0))
    return record(RUN_LOG, offset, agent_key(said.project_key, said.agent_id), encode(logged))


def streak_record(offset: int, run: int, *, silence: int = 0, failures: int = 0) -> Record:
    """Return a revision of a logged run's streaks."""
    run_id = run_number(run)
    revised = StreakRevised(PROJECT, AGENT, run_id, row_id(PROJECT, run_id), silence, failures)
    return record(RUN_LOG, offset, agent_key(PROJECT, AGENT), encode(revised))


def score(run: int, *, overall: float = 0.5, scorer: str = "test/1") -> RunScored:
    """Return the score of a run."""
    row = row_id(PROJECT, run_number(run))
    return RunScored(
        job_id=job_id(row, DEFAULT_RUBRIC),
        row_id=row,
        project_key=PROJECT,
        run_id=run_number(run),
        agent_id=AGENT,
        rubric=DEFAULT_RUBRIC,
        scorer=scorer,
        dimensions={"outcome": overall},
        overall=overall,
        scored_at=NOON + timedelta(hours=1),
    )


def score_record(offset: int, scored: RunScored) -> Record:
    """Return a record of run-scores."""
    return record(RUN_SCORES, offset, run_key(scored.project_key, scored.run_id), encode(scored))


def health_record(offset: int, *, version: int = 1, finished_runs: int = 1, failures: int = 0) -> Record:
    """Return a record of agents."""
    health = AgentHealth(PROJECT, AGENT, version, NOON, finished_runs=finished_runs, consecutive_failure_count=failures)
    return record(AGENTS, offset, agent_key(PROJECT, AGENT), encode(health))


def incident_record(offset: int, *, version: int = 3, state: Literal["open", "recovered"] = "open") -> Record:
    """Return a record of incidents."""
    opened = Incident(
        incident_id(PROJECT, AGENT, "failing", 3), PROJECT, AGENT, "failing", "open", 3, run_number(3), NOON, 3
    )
    told = replace(opened, state=state, version=version, recovered_at=None if state == "open" else NOON)
    return record(INCIDENTS, offset, agent_key(PROJECT, AGENT), encode(told))


def settings_record(offset: int, agent_id: str | None = AGENT, **settings: Any) -> Record:  # noqa: ANN401
    """Return a record of settings."""
    said = AgentSettings(PROJECT, agent_id, **settings)
    return record(SETTINGS, offset, settings_key(PROJECT, agent_id), encode(said))


def settings_tombstone(offset: int, agent_id: str | None = AGENT) -> Record:
    """Return a tombstone of settings."""
    return record(SETTINGS, offset, settings_key(PROJECT, agent_id), None)
