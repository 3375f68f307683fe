"""State that an earlier version wrote is restored, and nobody changes its shape without saying so.

A file in golden/ never changes. Whoever changes the shape of a state raises its `schema_version`, gives new fields a
default, and adds golden files of the new version beside the old, and its shape:
`python -m tests.contract.test_golden_states`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pytest
from pydantic import TypeAdapter

from runledger.processors import ledger, streaks
from runledger.processors.steps import At
from runledger.processors.streaks import StreakPolicy
from runledger.schemas.codec import decode, encode
from runledger.schemas.dead_letter_limits import Refusals
from runledger.schemas.errors import DecodeError
from runledger.schemas.lean_events import lean
from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome
from runledger.schemas.quick_records import read_record
from runledger.schemas.run_events import EndedData, RunEnded, RunHeartbeat, RunTimedOut
from runledger.schemas.snapshots import AgentHealth, Position, RunSnapshot
from tests.contract.test_examples import holds, parsed
from tests.unit.processors.test_streaks import outcome

State: TypeAlias = type[RunSnapshot] | type[AgentHealth] | type[Position]

GOLDEN = Path(__file__).parent / "golden"
STATES: dict[str, State] = {"runs": RunSnapshot, "agents": AgentHealth, "positions": Position}
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def golden(*folders: str) -> list[Any]:
    return [
        pytest.param(folder, path, id=f"{folder}/{path.stem}")
        for folder in folders
        for path in sorted((GOLDEN / folder).glob("v*_*.json"))
    ]


def run(name: str) -> RunSnapshot:
    return decode(RunSnapshot, (GOLDEN / "runs" / f"{name}.json").read_bytes())


def agent(name: str) -> AgentHealth:
    return decode(AgentHealth, (GOLDEN / "agents" / f"{name}.json").read_bytes())


def version_of(state: State) -> int:
    (field,) = (field for field in dataclasses.fields(state) if field.name == "schema_version")
    assert isinstance(field.default, int)
    return field.default


def shape_of(state: type) -> Any:  # noqa: ANN401  # a JSON schema
    """Every field, its type and its default, records within records included; without prose."""

    def bare(value: object) -> object:
        if isinstance(value, dict):
            return {key: bare(item) for key, item in value.items() if key not in {"description", "title"}}
        return [bare(item) for item in value] if isinstance(value, list) else value

    return bare(TypeAdapter(state).json_schema())


def shape_file(folder: str, version: int) -> Path:
    return GOLDEN / folder / f"shape_v{version}.json"


@pytest.mark.parametrize(("folder", "path"), golden(*STATES))
def test_a_golden_state_is_restored_whole(folder: str, path: Path) -> None:
    value = path.read_bytes()
    state: object = decode(STATES[folder], value)
    assert holds(parsed(encode(state)), parsed(value))
    assert read_record(STATES[folder], value) == state


@pytest.mark.parametrize("folder", STATES)
def test_every_version_of_a_state_has_golden_files(folder: str) -> None:
    versions = {path.name.split("_")[0] for path in (GOLDEN / folder).glob("v*_*.json")}
    assert versions == {f"v{version}" for version in range(1, version_of(STATES[folder]) + 1)}


@pytest.mark.parametrize("folder", STATES)
def test_the_shape_of_a_state_changes_only_with_its_schema_version(folder: str) -> None:
    version = version_of(STATES[folder])
    known = orjson.loads(shape_file(folder, version).read_bytes())
    assert shape_of(STATES[folder]) == known, f"{STATES[folder].__name__} changed, but its schema_version did not"


@pytest.mark.parametrize("folder", STATES)
def test_a_new_field_is_noticed_and_one_without_a_default_breaks_the_restore(folder: str) -> None:
    """So that the tests above would notice either."""
    state = STATES[folder]
    wider = dataclasses.make_dataclass("Wider", [("more", int, 0)], bases=(state,), frozen=True, slots=True)
    assert shape_of(wider) != orjson.loads(shape_file(folder, version_of(state)).read_bytes())
    demanding = dataclasses.make_dataclass(
        "Demanding", [("more", int, dataclasses.field(kw_only=True))], bases=(state,), frozen=True, slots=True
    )
    for path in (GOLDEN / folder).glob("v*_*.json"):
        assert isinstance(decode(wider, path.read_bytes()), state)
        with pytest.raises(DecodeError, match="more"):
            decode(demanding, path.read_bytes())


def at(offset: int) -> At:
    return At(offset, LATER)


def ended(state: RunSnapshot, **changes: object) -> RunEnded:
    return RunEnded(
        event_id="later",
        project_key=state.project_key,
        run_id=state.run_id,
        occurred_at=LATER - timedelta(hours=1),
        data=EndedData.model_validate({"status": "completed", "summary": "done", **changes}),
    )


@pytest.mark.parametrize("name", ["v1_running", "v1_before_heard_at"])
def test_a_running_run_goes_on_and_ends(name: str) -> None:
    step = ledger.apply(run(name), lean(ended(run(name))), at(99))
    (told,) = step.emitted
    assert (told.agent_id, told.status, told.revision, told.traces, told.failures) == ("sage", "success", 1, 2, 1)
    assert (told.usage.total_tokens, str(told.usage.cost_usd), told.cost_source) == (9600, "0.0280000000", "reported")


def test_an_ended_run_says_nothing_again_that_was_said() -> None:
    """What an outcome said is kept as a hash: if that were made in another way, every run would be said once more."""
    state = run("v1_ended")
    beat = RunHeartbeat(
        event_id="beat", project_key=state.project_key, run_id=state.run_id, occurred_at=LATER - timedelta(days=300)
    )
    step = ledger.apply(state, lean(beat), at(99))
    assert step.emitted == ()
    assert step.state is not None
    assert (step.state.outcome_revision, step.state.events) == (1, 6)


def test_a_run_that_timed_out_takes_its_explicit_end() -> None:
    state = run("v1_timed_out")
    (told,) = ledger.apply(state, lean(ended(state)), at(99)).emitted
    assert (told.revision, told.inferred, told.status, told.logged_at) == (2, False, "success", state.end_logged_at)


def test_a_stub_times_out_by_the_version_it_has() -> None:
    state = run("v1_stub")
    policy = ledger.DeadlinePolicy()
    event = ledger.expire(state, ledger.due_at(state, policy), policy)
    assert isinstance(event, RunTimedOut)
    (told,) = ledger.apply(state, lean(event), at(99)).emitted
    assert (told.agent_id, told.inferred) == ("unknown", True)


def test_open_incidents_recover_under_their_own_ids() -> None:
    state = agent("v1_two_incidents")
    opened = {incident.kind: incident.incident_id for incident in state.incidents}
    assert set(opened) == {"silent", "failing"}
    good: RunOutcome = outcome(90, letter="S")
    step = streaks.apply(state, good, at(99), StreakPolicy())
    logged = [emitted for emitted in step.emitted if isinstance(emitted, LoggedRun)]
    said = {
        emitted.kind: (emitted.state, emitted.incident_id) for emitted in step.emitted if isinstance(emitted, Incident)
    }
    assert said == {kind: ("recovered", identity) for kind, identity in opened.items()}
    assert [(one.consecutive_silence_count, one.consecutive_failure_count) for one in logged] == [(0, 0)]
    assert logged[0].baseline.runs == 32
    assert step.state.finished_runs == state.finished_runs + 1


def test_what_ended_before_a_restored_window_is_late() -> None:
    state = agent("v1_two_incidents")
    assert state.floor is not None
    early = outcome(99, minute=-5, letter="F")
    (logged,) = streaks.apply(state, early, at(99), StreakPolicy()).emitted
    assert isinstance(logged, LoggedRun)
    assert logged.late


def test_positions_are_restored_with_and_without_what_came_later() -> None:
    read = {path.stem: decode(Position, path.read_bytes()) for path in (GOLDEN / "positions").glob("v*_*.json")}
    refused = Position("runs", 1, 91, "Zp0Vq0mYQ8m1n3yJtq1xkA", 4, (88, 90), Refusals(2, 61, 3))
    assert read == {
        "v1_with_rejected": Position("runs", 2, 44, "Zp0Vq0mYQ8m1n3yJtq1xkA", 4, (17, 40), schema_version=1),
        "v1_before_rejected": Position("agents", 0, 7, "Zp0Vq0mYQ8m1n3yJtq1xkA", 4, schema_version=1),
        "v2_with_refusals": replace(refused, schema_version=2),
        "v3_with_changelog": replace(refused, changelog_id="hV3cW1mTQ0e4b6kYzu2rPw"),
    }


def write_shapes() -> None:
    """Write the shape of every state whose version has none yet."""
    for folder, state in STATES.items():
        path = shape_file(folder, version_of(state))
        if not path.exists():
            path.write_bytes(orjson.dumps(shape_of(state), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    write_shapes()
