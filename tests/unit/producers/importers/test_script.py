from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from runledger.producers.errors import InvalidEventError
from runledger.producers.importers import script
from runledger.schemas.run_events import (
    FailureRecorded,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    UsageReported,
)

AT = "2026-03-02T09:00:00Z"


def line_of(*events: dict[str, Any], **fields: str) -> dict[str, Any]:
    """A line with these events, all at one time unless they say otherwise."""
    run_id = "00000000-0000-4000-8000-000000000001"
    return {
        "format": "script.v1",
        "run_id": run_id,
        "agent_id": "sage",
        "events": [{"at": AT, **event} for event in events],
        **fields,
    }


def test_read_run_knows_every_type_of_event() -> None:
    run = script.read_run(
        line_of(
            {"type": "started", "summary": "s", "parent_run_id": str(UUID(int=5)), "task_id": "t", "meta": {"a": 1}},
            {"type": "usage", "token_usage": {"input_tokens": 1}, "traces": [{"tool": "x"}]},
            {"type": "failure", "summary": "f", "error": "e", "context": {"c": 1}, "detached": True},
            {"type": "heartbeat"},
            {"type": "ended", "status": "failed", "token_usage": {"cost_usd": 0.1}},
            {"type": "recorded", "summary": "r", "ticket": "T-1"},
            {"type": "logged", "status": "partial", "actions_taken": {"n": 0}},
        )
    )
    assert [type(event) for event in run.events] == [
        RunStarted,
        UsageReported,
        FailureRecorded,
        RunHeartbeat,
        RunEnded,
        RunRecorded,
        RunLogged,
    ]


def test_events_keep_the_order_they_are_written_in() -> None:
    run = script.read_run(
        line_of({"type": "ended", "status": "completed", "at": "2026-03-02T10:00:00Z"}, {"type": "started"})
    )
    assert [event.type for event in run.events] == ["runledger.run.ended.v1", "runledger.run.started.v1"]
    assert run.ended_at == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_run_without_an_end_stands_at_its_last_event() -> None:
    run = script.read_run(line_of({"type": "started"}, {"type": "heartbeat", "at": "2026-03-02T09:30:00Z"}))
    assert run.ended_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_equal_events_have_one_id_unless_they_name_their_own() -> None:
    beat = {"type": "heartbeat"}
    first, second, named = script.read_run(line_of(beat, beat, beat | {"event_id": "mine"})).events
    assert first.event_id == second.event_id
    assert named.event_id == "mine"


def test_the_project_is_default_unless_named() -> None:
    assert script.read_run(line_of({"type": "started"})).events[0].project_key == "default"
    assert script.read_run(line_of({"type": "started"}, project_key="acme")).events[0].project_key == "acme"


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"type": "usage", "input_tokens": 4}, "input_tokens"),
        ({"type": "heartbeat", "summary": "x"}, "summary"),
        ({"type": "ended", "status": "done"}, "status"),
        ({"type": "usage", "token_usage": {"input_tokens": -1}}, "input_tokens"),
    ],
)
def test_an_event_with_a_wrong_field_is_refused_by_its_name(event: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidEventError, match=field):
        script.read_run(line_of(event))


@pytest.mark.parametrize(
    "line",
    [
        line_of(),
        line_of({"type": "exploded"}),
        line_of({"type": "started", "at": "2026-03-02T09:00:00"}),
        line_of({"type": "started"}, run_id="7"),
        line_of({"type": "started"}, agnet_id="sage"),
    ],
    ids=["no events", "unknown type", "time without a zone", "no UUID", "unknown field"],
)
def test_a_line_that_breaks_the_format_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        script.read_run(line)
