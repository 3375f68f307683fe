"""The recount takes each distinct event once, and says where run-outcomes differ from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from runledger.schemas.codec import encode, encode_event
from runledger.schemas.identifiers import agent_key, run_key, timeout_event_id
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    EndStatus,
    RunEnded,
    RunStarted,
    RunTimedOut,
    StartedData,
    TimedOutData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage
from tests.faults.expected import Log, hasty, read_log, recount_agents, recount_runs, strangers
from tests.faults.ledger import key_of
from tests.faults.topics import Logged

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNS = [UUID(int=number) for number in range(1, 4)]


def life(run_id: UUID, minute: int = 0, status: EndStatus = "failed") -> list[AnyRunEvent]:
    """A run that began, used ten tokens and ended."""

    def common(name: str, seconds: int) -> dict[str, object]:
        at = NOON + timedelta(minutes=minute, seconds=seconds)
        return {"project_key": "p", "run_id": run_id, "event_id": name, "occurred_at": at}

    used = TokenUsage(input_tokens=10)
    return [
        RunStarted.model_validate({**common("start", 0), "agent_id": "sage", "data": StartedData(summary="try it")}),
        UsageReported.model_validate({**common("usage", 1), "data": UsageData(token_usage=used)}),
        RunEnded.model_validate({**common("end", 2), "data": EndedData(status=status, summary="done")}),
    ]


def logged(*events: AnyRunEvent, partition: int = 0) -> list[Logged]:
    """Records of events, one a second."""
    return [
        Logged(
            partition,
            offset,
            NOON + timedelta(days=1, seconds=offset),
            run_key(event.project_key, event.run_id),
            encode_event(event),
            {},
        )
        for offset, event in enumerate(events)
    ]


def log_of(runs: int = 3) -> Log:
    """The log of so many failed runs."""
    return read_log(logged(*(event for number in range(runs) for event in life(RUNS[number], number))))


def outcomes_of(log: Log) -> list[Logged]:
    """What stage 1 must have said of them, in one partition."""
    told = [outcome for run in recount_runs(log).values() for _, outcome in run.outcomes]
    return [
        Logged(0, offset, outcome.logged_at, agent_key(outcome.project_key, outcome.agent_id), encode(outcome), {})
        for offset, outcome in enumerate(told)
    ]


def test_an_event_counts_where_it_stood_first() -> None:
    start, usage, end = life(RUNS[0])
    log = read_log(logged(start, usage, usage, end, start))
    (said,) = log.lives.values()
    assert [(one.offset, one.event.event_id) for one in said] == [(0, "start"), (1, "usage"), (3, "end")]
    assert len(log.places) == 5
    assert recount_runs(log)["p", RUNS[0]].run["usage"].total_tokens == 10


def test_the_same_event_id_in_two_runs_is_two_events() -> None:
    log = read_log(logged(*life(RUNS[0]), *life(RUNS[1])))
    assert [len(said) for said in log.lives.values()] == [3, 3]


def test_what_cannot_be_read_has_no_place() -> None:
    good, bad = logged(*life(RUNS[0])[:2])
    log = read_log([good, replace(bad, value=b"{"), replace(bad, offset=2, key=b"p/another")])
    assert log.places.keys() == {(0, 0)}


def test_only_the_runs_asked_for_are_recounted_and_all_have_their_places() -> None:
    log = read_log(logged(*life(RUNS[0]), *life(RUNS[1])), only={("p", RUNS[1])})
    assert log.lives.keys() == {("p", RUNS[1])}
    assert len(log.places) == 6


def test_outcomes_as_they_must_be_differ_in_nothing() -> None:
    log = log_of()
    agents, differences = recount_agents(recount_runs(log), outcomes_of(log))
    assert differences == []
    (agent,) = agents.values()
    assert [failing for _, failing in agent.rows.values()] == [1, 2, 3]
    assert [incident.kind for incident in agent.incidents] == ["failing"]


def test_thresholds_are_the_processors() -> None:
    log = log_of()
    agents, _ = recount_agents(recount_runs(log), outcomes_of(log), (3, 4))
    assert [agent.incidents for agent in agents.values()] == [[]]


def test_an_outcome_that_is_missing_is_named() -> None:
    log = log_of()
    _, differences = recount_agents(recount_runs(log), outcomes_of(log)[1:])
    assert differences == [f"outcome 1 of {('p', RUNS[0])} is missing"]


@pytest.mark.parametrize("wrong", [{"status": "success"}, {"silent": True}, {"revision": 2}, {"run_id": UUID(int=9)}])
def test_an_outcome_that_says_something_else_is_named(wrong: dict[str, object]) -> None:
    log = log_of(1)
    ((_, right),) = recount_runs(log)["p", RUNS[0]].outcomes
    (record,) = outcomes_of(log)
    told: RunOutcome = replace(right, **wrong)  # type: ignore[arg-type]  # fields of an outcome
    _, differences = recount_agents(recount_runs(log), [replace(record, value=encode(told))])
    assert differences[0].startswith(f"outcome {told.revision} of {told.run_id}: expected ")


def test_an_outcome_told_twice_is_named() -> None:
    log = log_of(1)
    (record,) = outcomes_of(log)
    _, differences = recount_agents(recount_runs(log), [record, replace(record, offset=1)])
    assert len(differences) == 1


def timed_out(last_version: int) -> RunTimedOut:
    """The ledger's own word that a run has been silent for too long."""
    return RunTimedOut(
        project_key="p",
        run_id=RUNS[0],
        event_id=timeout_event_id(RUNS[0], last_version),
        occurred_at=NOON,
        data=TimedOutData(last_version=last_version),
    )


def test_a_run_of_which_nothing_counts_is_none() -> None:
    assert recount_runs(read_log(logged(timed_out(1)))) == {}


def test_an_event_nobody_sent_is_a_stranger_and_the_ledgers_own_timeout_is_none() -> None:
    start, usage, _ = life(RUNS[0])
    log = read_log(logged(start, usage, timed_out(2)))
    assert strangers(log, {key_of(start)}) == [key_of(usage)]
    assert strangers(log, {key_of(start), key_of(usage)}) == []


@pytest.mark.parametrize(("deadline_seconds", "is_hasty"), [(1, False), (2, True)])
def test_a_timeout_is_hasty_where_its_run_was_heard_of_within_the_deadline(
    deadline_seconds: int, is_hasty: bool
) -> None:
    """By the event that it names: one that came between makes it count for nothing, not come too early."""
    start, usage, end = life(RUNS[0])
    log = read_log(logged(start, usage, timed_out(2), end, timed_out(2)))
    assert hasty(log, timedelta(seconds=deadline_seconds)) == ([key_of(timed_out(2))] if is_hasty else [])


def test_a_timeout_of_what_was_never_heard_of_is_hasty() -> None:
    assert hasty(read_log(logged(timed_out(7))), timedelta(0)) == [key_of(timed_out(7))]
