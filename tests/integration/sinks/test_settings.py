"""What operators set, on its way into the tables."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from msgspec.structs import replace as changed

from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.schemas.topics import RUNS, SETTINGS
from runledger.sinks.batch import fold
from runledger.sinks.offsets import Position
from runledger.sinks.records import Record
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import (
    AGENT,
    PROJECT,
    health_record,
    run_record,
    settings_record,
    settings_tombstone,
    snapshot,
    source,
)

pytestmark = pytest.mark.integration

_AGENT = """
SELECT name, role, expected_interval_seconds, deadline_seconds, silence_threshold, failure_threshold, retired,
    settings_offset
FROM agent WHERE agent_id = %s
"""
_PROJECT = """
SELECT name, expected_interval_seconds, deadline_seconds, silence_threshold, failure_threshold, settings_offset
FROM project WHERE project_key = %s
"""
_NUMBERS_OF_AGENT = """
SELECT expected_interval_seconds, deadline_seconds, silence_threshold, failure_threshold, settings_offset FROM agent
"""
_NUMBERS_OF_PROJECT = """
SELECT expected_interval_seconds, deadline_seconds, silence_threshold, failure_threshold, settings_offset
FROM project WHERE project_key = 'demo'
"""
_ALL: dict[str, Any] = {
    "deadline_seconds": 7,
    "silence_threshold": 5,
    "failure_threshold": 4,
    "expected_interval_seconds": 3600,
}


def _agent(ledger: Ledger, agent_id: str = AGENT) -> tuple[object, ...]:
    (row,) = ledger.rows(_AGENT, agent_id)
    return row


def test_settings_make_an_agent_known_and_say_who_it_is(ledger: Ledger) -> None:
    ledger.write([settings_record(4, name="Sage", role="Backend", retired=True, **_ALL)])
    assert _agent(ledger) == ("Sage", "Backend", 3600, 7, 5, 4, True, 4)
    assert ledger.rows(_PROJECT, PROJECT) == [(None, None, None, None, None, None)]


def test_a_whole_projects_settings_leave_its_name_and_its_agents_alone(ledger: Ledger) -> None:
    ledger.connection.execute("INSERT INTO project (project_key, name, is_public) VALUES ('demo', 'Demo', true)")
    ledger.write([settings_record(0, "nova", name="Nova"), settings_record(2, None, **_ALL)])
    assert ledger.rows(_PROJECT, PROJECT) == [("Demo", 3600, 7, 5, 4, 2)]
    assert ledger.rows("SELECT is_public FROM project WHERE project_key = %s", PROJECT) == [(True,)]
    assert _agent(ledger, "nova") == ("Nova", None, None, None, None, None, False, 0)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("agent_id", [AGENT, None])
def test_the_last_record_holds_wholly_and_a_tombstone_clears(
    ledger: Ledger, agent_id: str | None, together: bool
) -> None:
    name = {"name": "Sage"} if agent_id else {}
    steps: list[tuple[Record, tuple[object, ...]]] = [
        (settings_record(0, agent_id, **name, **_ALL), (3600, 7, 5, 4, 0)),
        (settings_record(3, agent_id, deadline_seconds=8), (None, 8, None, None, 3)),
        (settings_tombstone(5, agent_id), (None, None, None, None, 5)),
        (settings_record(9, agent_id, expected_interval_seconds=60), (60, None, None, None, 9)),
    ]
    query = _NUMBERS_OF_AGENT if agent_id else _NUMBERS_OF_PROJECT
    if together:
        ledger.write([record for record, _ in steps])
        assert ledger.rows(query) == [steps[-1][1]]
        return
    for record, expected in steps:
        ledger.write([record])
        assert ledger.rows(query) == [expected]


def test_settings_read_again_change_nothing(ledger: Ledger) -> None:
    records = [settings_record(0, name="Old"), settings_record(3, name="Sage", retired=True)]
    ledger.write(records)
    before = _agent(ledger)
    ledger.write(records[:1])
    ledger.write([settings_tombstone(2)])
    assert _agent(ledger) == before


def test_a_tombstone_makes_nobody_known(ledger: Ledger) -> None:
    ledger.write([settings_tombstone(0, "gone")])
    assert ledger.rows("SELECT count(*) FROM agent") == [(0,)]


def test_agents_are_known_by_the_first_run_that_names_them(ledger: Ledger) -> None:
    ledger.write([run_record(0, snapshot(1, agent_id=None)), run_record(1, snapshot(2, agent_id="nova"))])
    assert ledger.rows("SELECT agent_id FROM agent") == [("nova",)]
    ledger.write([run_record(2, snapshot(1, version=5, agent_id="atlas")), health_record(0)])
    assert ledger.rows("SELECT agent_id FROM agent ORDER BY 1") == [("atlas",), ("nova",), (AGENT,)]


def test_a_project_is_known_by_runs_that_name_no_agent(ledger: Ledger) -> None:
    ledger.write([run_record(0, snapshot(1, agent_id=None))])
    assert ledger.rows("SELECT count(*) FROM project WHERE project_key = %s", PROJECT) == [(1,)]


def test_heard_at_stands_in_the_row_and_moves_with_the_snapshot(ledger: Ledger) -> None:
    first = snapshot(1, version=1)
    later = snapshot(1, version=9, heard_at=first.last_logged_at)
    ledger.write([run_record(0, first)])
    ledger.write([run_record(1, later)])
    found = ledger.rows("SELECT heard_at, last_logged_at FROM agent_run")
    assert found == [(first.last_logged_at, later.last_logged_at)]


def test_two_sinks_that_meet_the_same_agents_at_once_never_deadlock(ledger: Ledger) -> None:
    """Each batch names all agents of its round, in another order, and sets something for its own."""
    other = Writer(SinkSettings(postgres=ledger.uri))
    writers = (ledger.writer, other)
    places = [{source(RUNS, number): 0, source(SETTINGS, number): 0} for number in range(2)]
    ledger.writer.open_positions(dict.fromkeys([*places[0], *places[1]], Position(0, "topic-id", 2)))
    together = threading.Barrier(2)
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for step in range(25):
                agents = [f"agent-{step}-{one}" for one in range(20)][:: 1 if number else -1]
                runs = [
                    run_record(20 * step + place, snapshot(1000 * number + 20 * step + place, agent_id=agent), number)
                    for place, agent in enumerate(agents)
                ]
                said = changed(settings_record(step, f"agent-{step}-{number}", name="x"), partition=number)
                batch = fold([*runs, said], DEFAULT_RUBRIC)
                together.wait(30)
                writers[number].write(batch, places[number])
                places[number].update(batch.moves)
        except BaseException as error:
            failures.append(error)
            together.abort()
            raise

    thread = threading.Thread(target=write, args=(1,))
    thread.start()
    write(0)
    thread.join(30)
    other.close()
    assert failures == []
    assert ledger.rows("SELECT count(*), count(name) FROM agent") == [(500, 50)]
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(1000,)]
