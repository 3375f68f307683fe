from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    FailureData,
    FailureResolved,
    LoggedData,
    RecordedData,
    RunEnded,
    RunLogged,
    RunRecorded,
    RunStarted,
    RunTimedOut,
    StartedData,
    UsageReported,
)

COMMON: dict[str, Any] = {
    "event_id": "e1",
    "project_key": "default",
    "run_id": UUID(int=1),
    "occurred_at": datetime(2026, 3, 2, tzinfo=UTC),
}


@pytest.mark.parametrize("event", [RunRecorded, RunLogged])
def test_events_that_are_a_whole_run_name_their_agent(event: type[AnyRunEvent]) -> None:
    with pytest.raises(ValidationError, match="agent"):
        event(**COMMON, data={"summary": "s", "status": "success"})


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (RunStarted, {}),
        (UsageReported, {"token_usage": {}}),
        (RunEnded, {"status": "failed"}),
        (RunTimedOut, {"last_version": 1}),
    ],
)
def test_events_within_a_run_need_no_agent(event: type[AnyRunEvent], data: dict[str, Any]) -> None:
    assert event.model_validate({**COMMON, "data": data}).agent_id is None


def test_a_recorded_run_has_the_shorter_agent_name() -> None:
    data = RecordedData(summary="s")
    assert RunRecorded(**COMMON, agent_id="x" * 128, data=data).agent_id == "x" * 128
    with pytest.raises(ValidationError, match="128"):
        RunRecorded(**COMMON, agent_id="x" * 129, data=data)


@pytest.mark.parametrize("status", ["success", "partial", "Completed", "", None])
def test_a_run_ends_in_one_of_three_ways(status: object) -> None:
    with pytest.raises(ValidationError, match="status"):
        EndedData.model_validate({"status": status})


@pytest.mark.parametrize("status", ["completed", "interrupted", "SUCCESS", None])
def test_a_log_has_one_of_three_statuses(status: object) -> None:
    with pytest.raises(ValidationError, match="status"):
        LoggedData.model_validate({"status": status})


def test_summaries_and_errors_have_their_limits_where_they_stand() -> None:
    StartedData(summary="x" * 2000)
    FailureData(summary="x" * 2000, error="x" * 8000)
    with pytest.raises(ValidationError, match="summary"):
        StartedData(summary="x" * 2001)
    with pytest.raises(ValidationError, match="error"):
        FailureData(summary="x", error="x" * 8001)
    with pytest.raises(ValidationError, match="ticket"):
        RecordedData(summary="x", ticket="x" * 65)


def test_a_timeout_names_a_version() -> None:
    with pytest.raises(ValidationError, match="last_version"):
        RunTimedOut.model_validate({**COMMON, "data": {"last_version": 0}})


@pytest.mark.parametrize("fingerprint", ["0" * 63, "0" * 65, "G" * 64])
def test_a_resolution_names_a_fingerprint(fingerprint: str) -> None:
    with pytest.raises(ValidationError, match="fingerprint"):
        FailureResolved.model_validate({**COMMON, "data": {"fingerprint": fingerprint}})


def test_events_do_not_change() -> None:
    event = RunStarted(**COMMON, agent_id="sage")
    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, "agent_id", "nova")  # noqa: B010  # a plain assignment fails the type check already
