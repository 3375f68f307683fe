"""The quick way decides nothing: what it writes, the model writes too; what it leaves, the model judges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from runledger.producers.errors import InvalidEventError
from runledger.producers.masking import Masker
from runledger.producers.quick_building import check_quickly
from runledger.producers.records import Record
from runledger.producers.tellings import record_of
from runledger.schemas.run_events import (
    FailureRecorded,
    FailureResolved,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage

RUN_ID = UUID(int=10)
MASKERS = (Masker(), Masker({"mark": "MARK"}))
AT = datetime(2026, 3, 2, 9, 30, 0, 250, tzinfo=UTC)
USAGE: dict[str, Any] = {"input_tokens": 8400, "cost_usd": 0.028, "model": "claude-sonnet-4-5", "prompt_preview": "é?"}
USUAL: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (RunStarted, {"summary": "answer", "meta": {"host": ["a", 1]}, "parent_run_id": RUN_ID, "task_id": None}),
    (UsageReported, {"token_usage": USAGE, "traces": [{"step": 1}]}),
    (UsageReported, {"token_usage": {}, "traces": []}),
    (RunEnded, {"status": "failed", "summary": None, "token_usage": USAGE}),
    (RunEnded, {"status": "completed", "token_usage": None, "meta": {}}),
    (FailureRecorded, {"summary": "no", "error": "line 1\nline 2", "context": {"a": None}, "detached": False}),
    (RunRecorded, {"summary": "did it", "ticket": "T-1"}),
    (RunLogged, {"status": "success", "actions_taken": {"summary": "é", "nested": {"a": 1.5}}}),
    (RunHeartbeat, {}),
]


class Word(StrEnum):
    DONE = "completed"


def deep(levels: int) -> dict[str, Any]:
    return {"a": deep(levels - 1)} if levels else {}


TEXTS = st.sampled_from(
    ["", " ", " sage", "sage\t", "sage\x1c", "\x85", "a\x00b", "é", "\ud800", "Default", "default", "x y", "a\n"]
    + ["x" * length for length in (64, 65, 128, 129, 255, 256, 2000, 2001, 8000, 8001)]
    + ["completed", "success", str(RUN_ID), "1", "0.5", "NaN", Word.DONE]
    + ["to bob@example.com", "a \\u0000 b", "password: swordfish1", "MARK", 'say "no"', "bob@example.com " * 100]
)
NUMBERS = (
    st.integers(-1, 5)
    | st.sampled_from([2**53 - 1, 2**53, 10**9, 10**9 - 1, 2**64, True, False, 8400.0, 1e-11, 5e-11, 1.5e-10])
    | st.floats(-1, 2e9)
    | st.sampled_from([float("nan"), float("inf"), -0.0, 999_999_999.99999999, 1e22])
    | st.decimals(allow_nan=True, allow_infinity=True, places=12)
)
JSON = st.sampled_from(
    [
        {},
        {"a": 1},
        {"a": None},
        {1: "a"},
        {"a": {1: 2}},
        {"a\x00": 1},
        {"a": "\ud800"},
        {"a": 2**64},
        {Word.DONE: 1},
        {"a": float("nan")},
        {"a": object()},
        {"a": "x" * 300_000},
        {"a": (1, 2)},
        {"a": ["to bob@example.com", "\\u0000"], "password": "swordfish"},
        {"a": "bob@example.com " * 100},
        deep(31),
        deep(32),
        deep(33),
    ]
)
ANYTHING = st.none() | TEXTS | NUMBERS | JSON | st.lists(JSON, max_size=3) | st.just([{}] * 201)
USAGE_FIELDS = st.sampled_from([*USAGE, "output_tokens", "llm_calls", "reasoning_tokens", "unknown"])
USAGES = st.dictionaries(USAGE_FIELDS, ANYTHING, max_size=4)
DATA = st.dictionaries(
    st.sampled_from(
        ["summary", "status", "meta", "task_id", "error", "context", "ticket", "actions_taken", "detached", "unknown"]
    ),
    ANYTHING,
    max_size=3,
)
PLACES = st.fixed_dictionaries(
    {},
    optional={
        "project": TEXTS | NUMBERS,
        "run_id": TEXTS | st.uuids(),
        "agent": TEXTS | st.just(5),
        "event_id": TEXTS | st.just(5),
        "occurred_at": st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))]))
        | st.datetimes()
        | st.just("2026-03-02T09:00:00Z"),
    },
)


def modelled(event_type: type[BaseModel], data: dict[str, Any], places: dict[str, Any]) -> BaseModel | None:
    """What the model makes; None where it refuses."""
    fields = {
        "source": places["source"],
        "event_id": places["event_id"],
        "project_key": places["project"],
        "run_id": places["run_id"],
        "agent_id": places["agent"],
        "occurred_at": places["occurred_at"],
        "data": {name: value for name, value in data.items() if value is not None},
    }
    try:
        return event_type.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError:
        return None


def written(told: Any, masker: Masker) -> Record | str:  # noqa: ANN401  # a telling or an event
    """The record of what is told, or why there is none."""
    try:
        return record_of(told, masker)
    except InvalidEventError as error:
        return str(error)


def in_order_of_names(value: object) -> object:
    """JSON with its digits as they stand, whatever the order of names."""
    if isinstance(value, dict):
        return sorted((name, in_order_of_names(item)) for name, item in value.items())
    if isinstance(value, list):
        return [in_order_of_names(item) for item in value]
    return repr(value)


def check(event_type: type[Any], data: dict[str, Any], places: dict[str, Any]) -> bool:
    """Whether it was checked quickly; then the model must take it too, and write the same."""
    usual: dict[str, Any] = {"project": "acme", "run_id": RUN_ID, "agent": "sage", "event_id": "e-1", "occurred_at": AT}
    places = usual | {"source": "opentelemetry"} | places
    quick = check_quickly(event_type, data, **places)
    if quick is None:
        return False
    expected = modelled(event_type, data, places)
    assert expected is not None
    for masker in MASKERS:
        ours, theirs = written(quick, masker), written(expected, masker)
        if isinstance(ours, str) or isinstance(theirs, str):
            assert ours == theirs
            continue
        assert in_order_of_names(orjson.loads(ours.value)) == in_order_of_names(orjson.loads(theirs.value))
        assert (ours.event_id, ours.key) == (theirs.event_id, theirs.key)
    return True


@pytest.mark.parametrize(("event_type", "data"), USUAL)
def test_what_is_usual_is_built_quickly(event_type: type[BaseModel], data: dict[str, Any]) -> None:
    assert check(event_type, data, {})


@given(st.sampled_from(USUAL), DATA, st.none() | USAGES, PLACES)
def test_what_is_built_quickly_is_what_the_model_makes(
    usual: tuple[type[BaseModel], dict[str, Any]],
    data: dict[str, Any],
    usage: dict[str, Any] | None,
    places: dict[str, Any],
) -> None:
    event_type, given_data = usual
    check(event_type, given_data | data | ({} if usage is None else {"token_usage": usage}), places)


@given(USAGES, st.lists(JSON, max_size=3))
def test_a_usage_built_quickly_is_what_the_model_makes(usage: dict[str, Any], traces: list[Any]) -> None:
    check(UsageReported, {"token_usage": usage, "traces": traces}, {})


@given(st.floats(0, 999_999_999) | st.integers(0, 10**9) | st.floats(0, 1e-9))
def test_a_cost_keeps_its_digits(cost_usd: float) -> None:
    check(UsageReported, {"token_usage": {"cost_usd": cost_usd}, "traces": []}, {})


def test_what_is_not_usual_is_left_to_the_model() -> None:
    assert not check(FailureResolved, {"fingerprint": "0" * 64}, {})
    assert not check(RunStarted, {}, {"run_id": str(RUN_ID)})
    assert not check(RunHeartbeat, {"summary": "none of its fields"}, {})
    assert not check(RunLogged, {}, {})
    assert not check(RunLogged, {"status": "success"}, {"agent": None})
    assert not check(UsageReported, {"token_usage": {"cost_usd": Decimal(1)}}, {})
    no_usages: tuple[object, ...] = (TokenUsage(input_tokens=1), "input_tokens", 1, [])
    for usage in no_usages:
        assert not check(UsageReported, {"token_usage": usage}, {})


def test_what_is_too_large_is_refused_in_the_models_words() -> None:
    big = {"text": "x" * 250_000}
    assert check(UsageReported, {"token_usage": {}, "traces": [big] * 4}, {})
    mails = {"text": "b@example.com " * 16_000}
    assert check(UsageReported, {"token_usage": {}, "traces": [mails] * 4}, {})


def test_what_the_caller_changes_afterwards_changes_nothing() -> None:
    meta: dict[str, Any] = {"a": 1}
    told = check_quickly(RunStarted, {"meta": meta}, "acme", RUN_ID, None, None, None)
    meta["a"] = 2
    assert told is not None
    assert orjson.loads(told.record(MASKERS[0]).value)["data"]["meta"] == {"a": 1}


def test_what_was_written_is_masked_though_the_caller_takes_it_away() -> None:
    headers = {"authorization": "Bearer 7f3a9c0e5b1d4286"}
    meta = {"calls": [headers], "sizes": (1, {"b": 2})}
    told = check_quickly(RunStarted, {"meta": meta}, "acme", RUN_ID, None, None, None)
    headers.clear()
    assert told is not None
    assert b"7f3a9c0e5b1d4286" in told.value
    assert b"7f3a9c0e5b1d4286" not in told.record(MASKERS[0]).value


def test_what_was_left_out_is_no_events_own() -> None:
    for _ in range(2):
        told = check_quickly(RunStarted, {}, "acme", RUN_ID, None, None, None)
        assert told is not None
        assert orjson.loads(told.value)["data"] == {"meta": {}}
