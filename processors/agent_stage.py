"""Stage 2: outcomes into agents' streaks, logged runs and incidents."""

from __future__ import annotations

from datetime import datetime

from runledger.processors import streaks
from runledger.processors.policies import Policies, default_policy
from runledger.processors.records import ERASED, Changes, Due, Output, Record
from runledger.processors.settings import ProcessorSettings
from runledger.processors.steps import At
from runledger.schemas.dead_letters import REASON
from runledger.schemas.errors import DecodeError
from runledger.schemas.identifiers import agent_key
from runledger.schemas.outcomes import Incident, RunOutcome
from runledger.schemas.quick_records import read_record, write_record
from runledger.schemas.snapshots import AgentHealth
from runledger.schemas.topics import AGENT_POSITIONS, AGENTS, DEAD_LETTERS, INCIDENTS, RUN_LOG, RUN_OUTCOMES


class AgentStage:
    """Folds run-outcomes into agents, run-log and incidents. Its source is transactional, so nothing repeats in it.

    Args:
        settings: prefix of the topics.
        policies: thresholds; only the settings' own if left out.
    """

    name = "agents"
    deduplicates = False
    policy_revision = 0

    def __init__(self, settings: ProcessorSettings, policies: Policies | None = None) -> None:
        prefix = settings.topic_prefix
        self.source = RUN_OUTCOMES.name(prefix)
        self.changelog = AGENTS.name(prefix)
        self.positions = AGENT_POSITIONS.name(prefix)
        self.dead_letters = DEAD_LETTERS.name(prefix)
        self.commit_interval_seconds = settings.agent_commit_interval_seconds
        self._run_log = RUN_LOG.name(prefix)
        self._incidents = INCIDENTS.name(prefix)
        self._policies = policies or Policies(default_policy(settings))

    def restore(self, value: bytes) -> AgentHealth:
        """Read an agent's state from the changelog."""
        return read_record(AgentHealth, value)

    def due_at(self, state: AgentHealth) -> datetime | None:
        """Nothing of an agent expires."""
        return None

    def settled_at(self, state: AgentHealth) -> datetime | None:
        """No agent leaves memory: coming back, it would begin its streaks anew, and nobody would know (ADR 6)."""
        return None

    def apply(
        self, state: AgentHealth | None, record: Record, logged_at: datetime, changes: Changes[AgentHealth]
    ) -> None:
        """Apply one outcome, or an operator's order to forget the agent: no value, and a header that says so.

        Raises:
            DecodeError: the record is neither, or stands under another agent's key.
        """
        if record.value is None and _is_erasure(record):
            changes.snapshots[record.key or b""] = ERASED
            changes.erased.add(record.key or b"")
            return
        outcome = _read_outcome(record.value)
        key = agent_key(outcome.project_key, outcome.agent_id)
        if record.key != key:
            raise DecodeError("wrong_key", "the record's key is not the outcome's project and agent", "key")
        changes.finished.append(outcome)
        policy = self._policies.of(outcome.project_key, outcome.agent_id).streaks
        step = streaks.apply(state, outcome, At(record.offset, logged_at), policy)
        if step.changed:
            changes.snapshots[key] = step.state
        for emitted in step.emitted:
            topic = self._incidents if isinstance(emitted, Incident) else self._run_log
            changes.outputs.append(Output(topic, key, write_record(emitted)))

    def expire(self, key: bytes, state: AgentHealth, due: Due, changes: Changes[AgentHealth]) -> None:
        """Nothing of an agent expires."""


def _is_erasure(record: Record) -> bool:
    reason = dict(record.headers).get(REASON)
    return reason == ERASED.reason.encode() and b"/" in (record.key or b"")


def _read_outcome(value: bytes | None) -> RunOutcome:
    """Read an outcome whose times can be compared. Stage 1 writes no others, but a stranger's must not stop us."""
    outcome = read_record(RunOutcome, value)
    for name in ("ended_at", "logged_at", "started_at"):
        at = getattr(outcome, name)
        if at is not None and at.tzinfo is None:
            raise DecodeError("invalid", f"{name}: Input should have timezone info", name)
    return outcome
