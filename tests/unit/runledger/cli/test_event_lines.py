"""One line for each event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.cli.event_lines import NAMES, Kind, RunAgents, event_document, event_line, said_of, what_happened
from runledger.schemas.codec import decode_event
from runledger.schemas.run_events import AnyRunEvent
from runledger.subscribers import Received
from tests.unit.runledger.cli.build import HOSTILE, NOON, obeyed, printed, run_number

DATA: dict[Kind, tuple[dict[str, Any], str]] = {
    Kind.STARTED: ({"summary": "fix it", "task_id": "T-1"}, "[task T-1] fix it"),
    Kind.USAGE: (
        {"token_usage": {"input_tokens": 1200, "output_tokens": 7, "cost_usd": 0.5, "model": "m"}, "traces": [{}]},
        "m, 1,200 in, 7 out, $0.5000, 1 trace",
    ),
    Kind.ENDED: (
        {"status": "failed", "summary": "no\nluck", "token_usage": {"total_tokens": 9}},
        "failed  no luck (final: 9 tokens)",
    ),
    Kind.FAILURE: ({"summary": "broke", "error": "ValueError: x"}, "broke: ValueError: x"),
    Kind.RECORDED: ({"summary": "did it"}, "did it"),
    Kind.LOGGED: ({"status": "partial", "actions_taken": {"files": 3}}, 'partial  {"files":3}'),
    Kind.HEARTBEAT: ({}, ""),
    Kind.TIMED_OUT: ({"last_version": 3}, "nothing was heard of it within its deadline"),
    Kind.RESOLVED: ({"fingerprint": "ab" * 32, "by": "kim", "note": "done"}, "abababababab by kim: done"),
    Kind.ERASED: ({"reason": "asked to"}, "asked to"),
}


def received(
    kind: Kind, data: dict[str, Any], agent: str | None = "sage", project: str = "acme"
) -> Received[AnyRunEvent]:
    """Return an event as it comes from the log."""
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "tests",
        "type": NAMES[kind],
        "projectkey": project,
        "subject": str(run_number(1)),
        "time": NOON.isoformat(),
        "data": data,
    } | ({} if agent is None else {"agentid": agent})
    return Received(decode_event(orjson.dumps(event)), "key", "run-events", 2, 7, NOON)


def test_every_type_of_event_has_a_short_name() -> None:
    assert set(NAMES) == set(Kind)
    assert set(NAMES.values()) == {
        get_args(type_.model_fields["type"].annotation)[0] for type_ in get_args(AnyRunEvent)
    }


@pytest.mark.parametrize("kind", Kind)
def test_a_line_says_when_whose_what_and_the_most_telling(kind: Kind) -> None:
    data, words = DATA[kind]
    line = printed(event_line(received(kind, data), "sage", NOON.date()), 200)
    begin = f"12:00:00  {'acme/sage':<24}  {run_number(1).hex[:8]}  {kind}"
    assert line.startswith(begin)
    assert line.removeprefix(begin).strip() == words


def test_the_date_is_said_where_it_is_not_todays() -> None:
    later = NOON + timedelta(days=1)
    line = printed(event_line(received(Kind.HEARTBEAT, {}), "sage", later.date()))
    assert line.startswith("2026-03-01 12:00:00  acme/sage")


def test_an_event_whose_agent_nobody_named_yet_has_a_dash() -> None:
    assert "acme/- " in printed(event_line(received(Kind.HEARTBEAT, {}, agent=None), None, NOON.date()))


def test_a_program_gets_the_whole_event_and_whose_run_it_is() -> None:
    document = event_document(received(Kind.RECORDED, {"summary": "did it"}), "nova")
    assert document["type"] == "runledger.run.recorded.v1"
    assert (document["agent_id"], document["run_agent_id"], document["log_offset"]) == ("sage", "nova", 7)
    assert document["data"] == {"summary": "did it", "ticket": None, "meta": {}}


def test_what_an_agent_wrote_is_shown_on_one_line_and_not_obeyed() -> None:
    hostile = HOSTILE.replace("\x00", "")
    texts: dict[Kind, dict[str, Any]] = {
        Kind.STARTED: {"summary": hostile},
        Kind.LOGGED: {"status": "failed", "actions_taken": {"a": hostile}},
    }
    for kind, data in texts.items():
        shown = printed(event_line(received(kind, data, agent=hostile), HOSTILE, NOON.date()), 400)
        assert obeyed(shown) == []
        assert "evil[red]" in shown
        assert len(shown.splitlines()) == 1


@given(st.dictionaries(st.text(), st.text() | st.none() | st.integers()), st.text())
def test_what_is_of_a_later_version_is_shown_as_far_as_it_is_known(data: dict[str, Any], type_: str) -> None:
    assert said_of(f"x{type_}", data) == ""
    assert obeyed(printed(what_happened(f"x{type_}", data), 400)) == []


def test_agents_of_the_runs_heard_of_last_are_remembered() -> None:
    """A run that goes on for long is not forgotten for those that began since."""
    agents = RunAgents(most=2)

    def event(project: str, agent: str | None) -> AnyRunEvent:
        return received(Kind.STARTED, {}, agent=agent, project=project).value

    for project in ("a", "b"):
        assert agents.of(event(project, f"of-{project}")) == f"of-{project}"
    assert agents.of(event("a", None)) == "of-a"
    assert agents.of(event("c", "of-c")) == "of-c"
    assert [agents.of(event(project, None)) for project in ("a", "b", "c")] == ["of-a", None, "of-c"]
