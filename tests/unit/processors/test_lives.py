"""Runs whose events come in odd order, too late, or after the run has left memory: through both stages."""

from __future__ import annotations

import pytest

from runledger.processors.agent_stage import AgentStage
from runledger.processors.deadlines import DeadlinePolicy, due_at, expire
from runledger.processors.records import Changes, Tombstone
from runledger.processors.streaks import StreakPolicy
from runledger.processors.streaks import apply as count
from runledger.schemas.codec import decode, decode_run_log
from runledger.schemas.identifiers import run_key
from runledger.schemas.outcomes import LoggedRun, RunOutcome
from runledger.schemas.run_events import AnyRunEvent, RunTimedOut
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from tests.unit.processors.histories import (
    NOON,
    RUN,
    at,
    ended,
    fold,
    logged,
    one,
    recorded,
    started,
    step_of,
    used,
)
from tests.unit.processors.logs import SETTINGS, START, Logged, ModelStore, record, run_stage

KEY = run_key("p", RUN)


class Stages:
    """Both stages, one partition each."""

    def __init__(self) -> None:
        self.runs: ModelStore[RunSnapshot] = ModelStore(run_stage(), 0)
        self.agents: ModelStore[AgentHealth] = ModelStore(AgentStage(SETTINGS), 0)

    def tell(self, *events: AnyRunEvent) -> None:
        """Log events and fold them, and what comes of them."""
        for told in events:
            self.runs.log.append(record(told, len(self.runs.log)))
        self.runs.fold_all(START)
        for offset in range(len(self.agents.log), len(self.runs.outputs)):
            said = self.runs.outputs[offset]
            self.agents.log.append(Logged(offset, 0, said.key, said.value))
        self.agents.fold_all(START)

    def evict(self) -> None:
        """Let the run leave memory, as its retention or the bound does."""
        self.runs.commit(Changes(snapshots={KEY: Tombstone("evicted")}), START)

    @property
    def run(self) -> RunSnapshot:
        """The run as it stands."""
        return self.runs.held.states[KEY]

    @property
    def health(self) -> AgentHealth:
        """The agent as it stands."""
        return self.agents.held.states[b"p/sage"]

    def outcomes(self) -> list[RunOutcome]:
        """Return what stage 1 said."""
        return [decode(RunOutcome, output.value) for output in self.runs.outputs]

    def rows(self) -> list[tuple[str, int]]:
        """(status, revision) of what was logged."""
        said = [decode_run_log(output.value) for output in self.agents.outputs if output.topic == "t.run-log"]
        return [(row.outcome.status, row.outcome.revision) for row in said if isinstance(row, LoggedRun)]


def test_an_end_may_come_before_its_start() -> None:
    run, outcomes = fold([ended(agent_id="sage", summary="done"), started(summary="deploy", task_id="t")])
    assert (run.status, run.started_at, run.summary, run.end_summary) == ("completed", NOON, "deploy", "done")
    assert [(outcome.revision, outcome.started_at) for outcome in outcomes] == [(1, None)]


def test_an_end_by_a_clock_before_its_start_is_kept_as_told_and_gives_no_duration() -> None:
    run, outcomes = fold([started(second=30), ended(second=10)])
    assert (run.started_at, run.ended_at) == (at_second(30), at_second(10))
    health = count(None, outcomes[0], at(0), StreakPolicy()).state
    assert health.window[0].duration_seconds is None


def at_second(second: int) -> object:
    return started(second=second).occurred_at


def test_usage_after_the_end_counts_where_the_end_was_silent_about_it() -> None:
    run, outcomes = fold(
        [
            started(),
            used("a", input_tokens=5, output_tokens=1),
            ended(token_usage={"output_tokens": 9}),
            used("b", 70, input_tokens=7),
        ]
    )
    assert (run.usage.input_tokens, run.usage.output_tokens, run.usage.total_tokens) == (12, 9, 21)
    assert (run.status, run.events, len(outcomes)) == ("completed", 4, 1)


def test_a_stub_that_nobody_completes_is_given_up_as_unknown() -> None:
    stub = one([used(input_tokens=1)])
    timeout = expire(stub, due_at(stub, DeadlinePolicy()), DeadlinePolicy())
    assert isinstance(timeout, RunTimedOut)
    (outcome,) = step_of(timeout, stub, 5).emitted
    assert (outcome.agent_id, outcome.inferred, outcome.started_at) == ("unknown", True, None)


def test_each_thing_said_anew_is_a_revision_and_the_first_end_keeps_its_log_time() -> None:
    """Given up, then ended after all, then found to have left traces."""
    run = one([started()])
    timeout = expire(run, due_at(run, DeadlinePolicy()), DeadlinePolicy())
    assert isinstance(timeout, RunTimedOut)
    given_up = step_of(timeout, run, 5)
    explicit = step_of(ended(), given_up.state, 6)
    traced = step_of(used("late", 90, traces=1), explicit.state, 7)
    said = [*given_up.emitted, *explicit.emitted, *traced.emitted]
    assert [(it.revision, it.status, it.silent) for it in said] == [
        (1, "failed", True),
        (2, "success", True),
        (3, "success", False),
    ]
    assert {it.logged_at for it in said} == {at(5).logged_at}


def test_a_late_report_after_eviction_begins_a_stub_of_another_birth() -> None:
    stages = Stages()
    stages.tell(started(), ended())
    stages.evict()
    stages.tell(used(input_tokens=1))
    assert (stages.run.born_offset, stages.run.status, stages.run.events) == (2, "running", 1)
    assert len(stages.outcomes()) == 1


@pytest.mark.parametrize("again", [ended(agent_id="sage"), recorded(), logged()])
def test_a_one_event_run_or_end_repeated_after_eviction_counts_no_second_time(again: AnyRunEvent) -> None:
    """Stage 1 has forgotten it and says it again; stage 2 has it in its window and does not."""
    stages = Stages()
    stages.tell(again)
    before = stages.health
    stages.evict()
    stages.tell(again)
    assert [outcome.revision for outcome in stages.outcomes()] == [1, 1]
    assert stages.health == before
    assert stages.rows() == [("success", 1)]


def test_another_end_after_eviction_moves_no_streak() -> None:
    """It would be a conflict, were the run still known; what stands stands, and the audit has both."""
    stages = Stages()
    stages.tell(started(), ended("a", 10))
    stages.evict()
    stages.tell(ended("b", 20, agent_id="sage", status="failed"))
    assert (stages.health.finished_runs, stages.health.consecutive_failure_count) == (1, 0)
    assert stages.rows() == [("success", 1)]


def test_a_run_of_another_birth_that_is_given_up_moves_no_streak() -> None:
    stages = Stages()
    stages.tell(started(), ended("a", 10))
    stages.evict()
    stages.tell(started("late", 5))
    timeout = expire(stages.run, due_at(stages.run, DeadlinePolicy()), DeadlinePolicy())
    assert isinstance(timeout, RunTimedOut)
    stages.tell(timeout)
    assert stages.run.inferred
    assert (stages.health.finished_runs, stages.health.consecutive_failure_count) == (1, 0)
    assert stages.rows() == [("success", 1)]
