"""Stage 2 turns outcomes into an agent's health, logged runs and incidents for the right topics."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from runledger.processors.agent_stage import AgentStage
from runledger.processors.fold import Stage, fold
from runledger.processors.records import Changes, Due
from runledger.processors.state import PartitionState
from runledger.schemas import dead_letters
from runledger.schemas.codec import decode, decode_run_log, encode
from runledger.schemas.identifiers import row_id
from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome
from runledger.schemas.snapshots import AgentHealth
from runledger.schemas.usage import UsageTotals
from tests.unit.processors.logs import SETTINGS, START, Logged, batch, run_of, state_of

STAGE: Stage[AgentHealth] = AgentStage(SETTINGS)
KEY = b"p/sage"


def outcome(number: int, status: str = "failed", revision: int = 1) -> RunOutcome:
    run_id: UUID = run_of(number)
    return RunOutcome(
        project_key="p",
        agent_id="sage",
        run_id=run_id,
        row_id=row_id("p", run_id),
        revision=revision,
        kind="lifecycle",
        status="failed" if status == "failed" else "success",
        run_status="failed" if status == "failed" else "completed",
        inferred=False,
        silent=False,
        ended_at=START + timedelta(seconds=number),
        logged_at=START,
        actions_taken={"did": number},
        action_summary=None,
        usage=UsageTotals(),
    )


def record(offset: int, told: RunOutcome, key: bytes = KEY) -> Logged:
    return Logged(offset, 0, key, encode(told))


def folded(records: list[Logged]) -> tuple[PartitionState[AgentHealth], Changes[AgentHealth]]:
    held = state_of(STAGE)
    changes = fold(STAGE, held, [batch(records)])
    held.take(changes)
    return held, changes


def test_an_outcome_becomes_health_and_a_logged_run_under_the_agents_key() -> None:
    held, changes = folded([record(4, outcome(0))])
    assert (held.states[KEY].finished_runs, held.states[KEY].version) == (1, 5)
    (output,) = changes.outputs
    assert (output.topic, output.key, output.partition) == ("t.run-log", KEY, None)
    logged = decode_run_log(output.value)
    assert isinstance(logged, LoggedRun)
    assert logged.consecutive_failure_count == 1


def test_the_third_failure_in_a_row_opens_an_incident() -> None:
    _, changes = folded([record(number, outcome(number)) for number in range(4)])
    (incident,) = [output for output in changes.outputs if output.topic == "t.incidents"]
    assert incident.key == KEY
    opened = decode(Incident, incident.value)
    assert (opened.state, opened.kind, opened.run_id) == ("open", "failing", run_of(2))


def test_the_changelog_restores_the_same_state() -> None:
    held, _ = folded([record(number, outcome(number)) for number in range(40)])
    assert STAGE.restore(encode(held.states[KEY])) == held.states[KEY]


def test_an_outcome_known_already_writes_nothing() -> None:
    held, _ = folded([record(0, outcome(0))])
    changes = fold(STAGE, held, [batch([record(1, outcome(0))])])
    assert (changes.snapshots, changes.outputs, changes.next_offset) == ({}, [], 2)


def test_a_revision_replaces_and_counts_no_second_run() -> None:
    held, _ = folded([record(0, outcome(0)), record(1, outcome(0, "success", revision=2))])
    assert (held.states[KEY].finished_runs, held.states[KEY].consecutive_failure_count) == (1, 0)


def test_what_is_no_outcome_or_stands_under_another_key_is_a_dead_letter() -> None:
    records = [Logged(0, 0, KEY, b"{}"), record(1, outcome(0), key=b"p/other"), Logged(2, 0, KEY, None)]
    held, changes = folded(records)
    reasons = [dict(letter.headers)[dead_letters.REASON] for letter in changes.outputs]
    assert reasons == [b"invalid", b"wrong_key", b"empty"]
    assert {dict(letter.headers)[dead_letters.READER] for letter in changes.outputs} == {b"agents"}
    assert (held.states, held.rejected) == ({}, ())


@pytest.mark.parametrize("field", ["ended_at", "logged_at", "started_at"])
def test_a_time_without_a_zone_is_a_dead_letter(field: str) -> None:
    """It compares with no other time: the first would pass, and stop the stage at the next."""
    without: dict[str, Any] = {field: START.replace(tzinfo=None)}
    naive = replace(outcome(1), **without)
    held, changes = folded([record(0, outcome(0)), record(1, naive), record(2, outcome(2))])
    assert (changes.refused, held.states[KEY].finished_runs) == ([1], 2)


def test_nothing_of_an_agent_expires() -> None:
    held, _ = folded([record(0, outcome(0))])
    changes = Changes[AgentHealth]()
    STAGE.expire(KEY, held.states[KEY], Due(START + timedelta(days=999), 0, None), changes)
    assert not changes
    assert STAGE.due_at(held.states[KEY]) is None
