from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from runledger.producers.building import build, one_event_run, token_usage
from runledger.producers.errors import InvalidEventError
from runledger.schemas.run_events import RunEnded, RunRecorded, RunStarted, UsageReported

RUN_ID = UUID(int=1)


def test_ids_and_times_are_made_where_none_are_given() -> None:
    before = datetime.now(UTC)
    event = build(RunStarted, {}, project="default", run_id=RUN_ID, agent="sage")
    assert before <= event.occurred_at <= datetime.now(UTC)
    assert UUID(event.event_id).version == 7


def test_what_is_given_is_kept_and_none_is_left_out() -> None:
    event = build(
        RunEnded,
        {"status": "failed", "summary": None, "meta": None, "token_usage": None},
        project="acme",
        run_id=str(RUN_ID),
        event_id="mine",
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert (event.event_id, event.project_key, event.run_id, event.agent_id) == ("mine", "acme", RUN_ID, None)
    assert event.occurred_at == datetime(2026, 3, 2, tzinfo=UTC)
    assert (event.data.summary, event.data.meta) == (None, {})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"project": "Acme"}, "project"),
        ({"run_id": "7"}, "run_id"),
        ({"agent": " "}, "agent"),
        ({"event_id": "a b"}, "event_id"),
        ({"occurred_at": datetime(2026, 3, 2)}, "occurred_at"),  # noqa: DTZ001  # refused for that
        ({"data": {"summary": "x" * 2001}}, "summary"),
        ({"data": {"meta": {"a": {"b": object()}}}}, "meta"),
        ({"data": {"parent_run_id": "x"}}, "parent_run_id"),
    ],
)
def test_a_wrong_value_is_refused_in_the_callers_words(changes: dict[str, Any], field: str) -> None:
    arguments: dict[str, Any] = {"data": {}, "project": "default", "run_id": RUN_ID, "agent": "sage"} | changes
    with pytest.raises(InvalidEventError) as refused:
        build(RunStarted, arguments.pop("data"), **arguments)
    assert refused.value.field == field
    assert field in str(refused.value)


def test_a_wrong_usage_field_is_named_as_the_argument_it_was() -> None:
    with pytest.raises(InvalidEventError) as refused:
        build(UsageReported, {"token_usage": {"input_tokens": True}}, project="default", run_id=RUN_ID)
    assert refused.value.field == "input_tokens"


def test_the_refused_value_is_not_repeated() -> None:
    with pytest.raises(InvalidEventError) as refused:
        build(RunRecorded, {"summary": "hunter2" * 1000}, project="default", run_id=RUN_ID, agent="sage")
    assert "hunter2" not in str(refused.value)


def test_usage_left_out_is_none_and_unknown_names_are_refused() -> None:
    assert token_usage({"input_tokens": None}) is None
    assert token_usage({"input_tokens": 0, "model": None}) == {"input_tokens": 0}
    with pytest.raises(TypeError, match="input_token"):
        token_usage({"input_token": 1})  # type: ignore[typeddict-unknown-key]  # refused for that


def test_an_event_id_fixes_the_run_of_a_one_event_run() -> None:
    assert one_event_run("default", RUN_ID, "mine") == RUN_ID
    assert one_event_run("default", None, "mine") == one_event_run("default", None, "mine")
    assert one_event_run("default", None, "mine") != one_event_run("acme", None, "mine")
    assert one_event_run("default", None, None) != one_event_run("default", None, None)
