"""The reducers make of the hand-made runs what is written down beside them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import runledger
from runledger.processors import ledger, streaks
from runledger.processors.ledger import DeadlinePolicy
from runledger.processors.steps import At
from runledger.processors.streaks import StreakPolicy
from runledger.producers.importers import read_events
from runledger.schemas.lean_events import lean
from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome, StreakRevised
from runledger.schemas.run_events import RunTimedOut
from runledger.schemas.snapshots import AgentHealth, RunSnapshot

Json: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str]

DATA = Path(runledger.__file__).parent / "data"
EXPECTED: Json = json.loads((DATA / "handmade_runs.expected.json").read_text())
LOGGED_AT = datetime(2026, 4, 1, tzinfo=UTC)
DEADLINES = DeadlinePolicy(timedelta(hours=1), timedelta(days=1), timedelta(minutes=10))


class Pipeline:
    """Both stages in memory, without a log between them."""

    def __init__(self) -> None:
        self.runs: dict[Key, RunSnapshot] = {}
        self.agents: dict[Key, AgentHealth] = {}
        self.rows: dict[Key, Json] = {}
        self.incidents: dict[str, Incident] = {}
        self._offset = 0

    def replay(self, path: Path) -> None:
        """Fold every event of a file."""
        for event in read_events(path):
            self.fold(event)

    def fold(self, event: Any) -> None:  # noqa: ANN401  # any run event
        """Fold one event through both stages."""
        at = self._next()
        key = (event.project_key, str(event.run_id))
        step = ledger.apply(self.runs.get(key), lean(event), at)
        if step.state is not None:
            self.runs[key] = step.state
        for outcome in step.emitted:
            self._conclude(outcome)

    def expire(self) -> None:
        """Let every deadline pass."""
        for run in list(self.runs.values()):
            due = ledger.expire(run, LOGGED_AT + timedelta(hours=2), DEADLINES)
            if isinstance(due, RunTimedOut):
                self.fold(due)

    def _next(self) -> At:
        self._offset += 1
        return At(self._offset, LOGGED_AT)

    def _conclude(self, outcome: RunOutcome) -> None:
        key = (outcome.project_key, outcome.agent_id)
        step = streaks.apply(self.agents.get(key), outcome, self._next(), StreakPolicy())
        self.agents[key] = step.state
        for emitted in step.emitted:
            match emitted:
                case LoggedRun():
                    self.rows[outcome.project_key, str(outcome.run_id)] = row_of(emitted)
                case StreakRevised():
                    self.rows[emitted.project_key, str(emitted.run_id)] |= {
                        "consecutive_silence_count": emitted.consecutive_silence_count,
                        "consecutive_failure_count": emitted.consecutive_failure_count,
                    }
                case Incident():
                    self.incidents[str(emitted.incident_id)] = emitted


def text_of(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")


def row_of(logged: LoggedRun) -> Json:
    outcome = logged.outcome
    return {
        "project_key": outcome.project_key,
        "agent_id": outcome.agent_id,
        "run_id": str(outcome.run_id),
        "ended_at": text_of(outcome.ended_at),
        "status": outcome.status,
        "run_status": outcome.run_status,
        "silent": outcome.silent,
        "consecutive_silence_count": logged.consecutive_silence_count,
        "consecutive_failure_count": logged.consecutive_failure_count,
        "action_summary": outcome.action_summary,
    }


def run_of(run: RunSnapshot) -> Json:
    return {
        "project_key": run.project_key,
        "run_id": str(run.run_id),
        "agent_id": run.agent_id,
        "kind": run.kind,
        "status": run.status,
        "outcome": run.outcome,
        "usage": {
            "input_tokens": run.usage.input_tokens,
            "output_tokens": run.usage.output_tokens,
            "total_tokens": run.usage.total_tokens,
            "cost_usd": None if run.usage.cost_usd is None else f"{run.usage.cost_usd:.10f}",
            "llm_calls": run.usage.llm_calls,
        },
        "cost_source": run.cost_source,
        "models": list(run.models),
        "failures": run.failures,
        "traces": run.traces,
        "usage_mismatch": run.usage_mismatch,
        "end_conflict": run.end_conflict,
        "timed_out": run.timed_out,
        "parent_run_id": None if run.parent_run_id is None else str(run.parent_run_id),
    }


def agent_of(health: AgentHealth) -> Json:
    return {
        "project_key": health.project_key,
        "agent_id": health.agent_id,
        "finished_runs": health.finished_runs,
        "consecutive_silence_count": health.consecutive_silence_count,
        "consecutive_failure_count": health.consecutive_failure_count,
        "open_incidents": [incident.kind for incident in health.incidents],
    }


def incident_of(incident: Incident) -> Json:
    return {
        "project_key": incident.project_key,
        "agent_id": incident.agent_id,
        "kind": incident.kind,
        "opened_by_run_id": str(incident.run_id),
        "opened_at": text_of(incident.opened_at),
        "recovered_by_run_id": None if incident.recovered_run_id is None else str(incident.recovered_run_id),
        "recovered_at": text_of(incident.recovered_at),
    }


def written_down(items: list[Json], *, after: bool) -> list[Json]:
    """What holds at once, or once the deadlines have passed."""
    told = []
    for item in items:
        plain = {
            key: value for key, value in item.items() if key not in {"after_the_deadline", "only_after_the_deadline"}
        }
        if after:
            later = item.get("after_the_deadline", {})
            told.append(plain | {key: value for key, value in later.items() if key in plain})
        elif "only_after_the_deadline" not in item:
            told.append(plain)
    return sorted(told, key=str)


@pytest.fixture(params=[False, True], ids=["at once", "after the deadline"])
def after(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def pipeline(after: bool) -> Pipeline:  # a fixture
    """Both stages with the file in them."""
    pipeline = Pipeline()
    pipeline.replay(DATA / "handmade_runs.jsonl")
    if after:
        pipeline.expire()
    return pipeline


def test_runs(pipeline: Pipeline, *, after: bool) -> None:
    assert sorted(map(run_of, pipeline.runs.values()), key=str) == written_down(EXPECTED["runs"], after=after)


def test_agents(pipeline: Pipeline, *, after: bool) -> None:
    assert sorted(map(agent_of, pipeline.agents.values()), key=str) == written_down(EXPECTED["agents"], after=after)


def test_rows(pipeline: Pipeline, *, after: bool) -> None:
    assert sorted(pipeline.rows.values(), key=str) == written_down(EXPECTED["rows"], after=after)


def test_incidents(pipeline: Pipeline) -> None:
    assert sorted(map(incident_of, pipeline.incidents.values()), key=str) == sorted(EXPECTED["incidents"], key=str)


def test_a_second_replay_of_terminal_runs_changes_no_outcome(pipeline: Pipeline) -> None:
    """Whatever the dedupe window lets through, an end counts once."""
    rows = dict(pipeline.rows)
    for event in read_events(DATA / "handmade_runs.jsonl"):
        if event.type.endswith(("ended.v1", "recorded.v1", "logged.v1")) and "failure" not in event.type:
            pipeline.fold(event)
    assert pipeline.rows == rows
