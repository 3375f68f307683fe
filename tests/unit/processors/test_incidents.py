"""When an incident opens and when it recovers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from runledger.processors.streaks import StreakPolicy, apply
from runledger.schemas.identifiers import incident_id
from runledger.schemas.outcomes import Incident
from tests.unit.processors.histories import NOON, at
from tests.unit.processors.test_streaks import fold, letters, outcome


def states(incidents: list[Incident]) -> list[tuple[str, str]]:
    return [(incident.kind, incident.state) for incident in incidents]


def test_an_incident_opens_at_the_threshold_and_only_once() -> None:
    agent = fold(letters("FFFFF"))
    [incident] = agent.incidents
    assert (incident.kind, incident.state, incident.threshold) == ("failing", "open", 3)
    assert (incident.run_id, incident.opened_at) == (letters("FFF")[2].run_id, NOON + timedelta(minutes=2))
    assert incident.incident_id == incident_id("p", "sage", "failing", 3)
    assert incident.version == 3


def test_an_incident_recovers_with_the_run_that_ends_the_streak() -> None:
    agent = fold(letters("FFFFS"))
    recovery = agent.incidents[-1]
    assert states(agent.incidents) == [("failing", "open"), ("failing", "recovered")]
    assert recovery.incident_id == agent.incidents[0].incident_id
    assert (recovery.recovered_run_id, recovery.recovered_at) == (
        letters("FFFFS")[4].run_id,
        NOON + timedelta(minutes=4),
    )
    assert agent.state is not None
    assert agent.state.incidents == ()


def test_both_kinds_may_be_open_at_a_time() -> None:
    assert states(fold(letters("fff")).incidents) == [("silent", "open"), ("failing", "open")]


def test_partial_runs_and_records_neither_open_nor_recover_a_failing_incident() -> None:
    assert states(fold(letters("FFFPRPR")).incidents) == [("failing", "open")]


def test_the_next_crossing_is_another_incident() -> None:
    opened = [it.incident_id for it in fold(letters("FFFSFFF")).incidents if it.state == "open"]
    assert len(set(opened)) == 2


def test_a_run_that_arrives_late_may_open_an_incident_in_the_name_of_the_third() -> None:
    first, second, third, fourth = letters("FFFF")
    [incident] = fold([first, fourth, second, third]).incidents
    assert incident.run_id == fourth.run_id
    [incident] = fold([second, first, fourth, third], StreakPolicy(failure_threshold=4)).incidents
    assert incident.run_id == fourth.run_id
    [incident] = fold(
        [*letters("FPPFP")[:3], outcome(4, letter="P"), outcome(9, letter="F"), outcome(3, letter="F")]
    ).incidents
    assert incident.run_id == outcome(9).run_id


def test_a_late_success_within_the_streak_recovers_the_incident_not_before_it_opened() -> None:
    agent = fold([*letters("FFF"), outcome(9, minute=1, letter="S")])
    opened, recovered = agent.incidents
    assert (recovered.state, recovered.recovered_run_id) == ("recovered", outcome(9).run_id)
    assert recovered.recovered_at == opened.opened_at


def test_a_revision_recovers_the_incident() -> None:
    runs = letters("FFF")
    agent = fold([*runs, replace(runs[2], revision=2, status="success")])
    assert states(agent.incidents) == [("failing", "open"), ("failing", "recovered")]


def test_an_open_incident_keeps_the_threshold_it_was_opened_by() -> None:
    agent = fold(letters("FFF"))
    step = apply(agent.state, outcome(3, letter="F"), at(3), StreakPolicy(failure_threshold=9))
    assert [it.threshold for it in step.state.incidents] == [3]
    assert not any(isinstance(emitted, Incident) for emitted in step.emitted)


def test_the_opener_of_a_streak_older_than_the_window_is_the_oldest_run_known() -> None:
    agent = fold(letters("F" * 50), StreakPolicy(failure_threshold=100))
    assert agent.state is not None
    step = apply(agent.state, outcome(50, letter="F"), at(50), StreakPolicy(failure_threshold=2))
    [incident] = [emitted for emitted in step.emitted if isinstance(emitted, Incident)]
    assert incident.run_id == step.state.window[0].run_id
