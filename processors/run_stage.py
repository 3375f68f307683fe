"""Stage 1: run events into runs and their outcomes."""

from __future__ import annotations

from datetime import datetime

from runledger.processors import ledger
from runledger.processors.deadlines import settled_at
from runledger.processors.evolve import thaw
from runledger.processors.ledger import Evict
from runledger.processors.policies import Policies, default_policy
from runledger.processors.records import ERASED, Changes, Due, Output, Record, Tombstone
from runledger.processors.settings import ProcessorSettings
from runledger.processors.steps import At, RunStep
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER, encode_event
from runledger.schemas.identifiers import agent_key
from runledger.schemas.quick_events import read_lean
from runledger.schemas.quick_records import read_record, write_record
from runledger.schemas.run_events import RunTimedOut
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.topics import DEAD_LETTERS, RUN_EVENTS, RUN_OUTCOMES, RUN_POSITIONS, RUNS


class RunStage:
    """Folds run-events into runs and run-outcomes, and gives up runs that fell silent.

    Args:
        settings: prefix of the topics.
        policies: deadlines; only the settings' own if left out.
    """

    name = "runs"
    deduplicates = True

    def __init__(self, settings: ProcessorSettings, policies: Policies | None = None) -> None:
        prefix = settings.topic_prefix
        self.source = RUN_EVENTS.name(prefix)
        self.changelog = RUNS.name(prefix)
        self.positions = RUN_POSITIONS.name(prefix)
        self.dead_letters = DEAD_LETTERS.name(prefix)
        self.commit_interval_seconds = settings.run_commit_interval_seconds
        self._outcomes = RUN_OUTCOMES.name(prefix)
        self._policies = policies or Policies(default_policy(settings))

    @property
    def policy_revision(self) -> int:
        """Grows whenever a deadline changes."""
        return self._policies.revision

    def restore(self, value: bytes) -> RunSnapshot:
        """Read a run's state from the changelog."""
        return read_record(RunSnapshot, value)

    def due_at(self, state: RunSnapshot) -> datetime | None:
        """Log time of the run's deadline or eviction."""
        return ledger.due_at(state, self._policies.of(state.project_key, state.agent_id).deadlines)

    def settled_at(self, state: RunSnapshot) -> datetime | None:
        """Log time of the last event of an ended run whose outcome is out."""
        return settled_at(state)

    def apply(
        self, state: RunSnapshot | None, record: Record, logged_at: datetime, changes: Changes[RunSnapshot]
    ) -> None:
        """Apply one event.

        Raises:
            DecodeError: the record is not a valid event of its key's run.
        """
        key = record.key or b""
        event = read_lean(record.value, key)
        run = None if state is None else thaw(state)
        step = ledger.advance(run, event, At(record.offset, logged_at))
        if step.state is not state or step.emitted or step.erased:  # else the batch's own draft, changed in place
            self._take(key, step, changes)

    def expire(self, key: bytes, state: RunSnapshot, due: Due, changes: Changes[RunSnapshot]) -> None:
        """Add a timeout for the log, an outcome that waits no longer, or an eviction."""
        match ledger.expire(state, due.now, self._policies.of(state.project_key, state.agent_id).deadlines):
            case RunTimedOut() as event:
                if due.asked != state.version:
                    changes.asked[key] = state.version
                    changes.outputs.append(self._as_output(event, key, due.partition))
            case RunStep() as step:
                self._take(key, step, changes)
            case Evict():
                changes.snapshots[key] = Tombstone("evicted")
            case None:
                pass

    def _as_output(self, event: RunTimedOut, key: bytes, partition: int) -> Output:
        """Write the event into our own source, like any other event of the run."""
        headers = ((EVENT_ID_HEADER, event.event_id.encode()), ("content-type", CONTENT_TYPE.encode()))
        return Output(self.source, key, encode_event(event), headers, partition)

    def _take(self, key: bytes, step: RunStep, changes: Changes[RunSnapshot]) -> None:
        if step.erased:
            changes.snapshots[key] = ERASED
            changes.erased.add(key)
        elif step.changed and step.state is not None:
            changes.snapshots[key] = step.state
        for outcome in step.emitted:
            changes.outputs.append(
                Output(self._outcomes, agent_key(outcome.project_key, outcome.agent_id), write_record(outcome))
            )
