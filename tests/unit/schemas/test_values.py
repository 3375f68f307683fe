"""Every limit at its edge and one step beyond."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from runledger.schemas import values


class Point(NamedTuple):
    """A tuple that says more than JSON can."""

    x: int


def accept(value_type: Any, value: object) -> Any:  # noqa: ANN401  # any value type
    return TypeAdapter(value_type).validate_python(value)


def refuse(value_type: Any, value: object, why: str | None = None) -> None:  # noqa: ANN401  # any value
    with pytest.raises(ValidationError, match=why):
        accept(value_type, value)


def nested(depth: int) -> dict[str, Any]:
    """An object this many levels deep."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value_type", "longest"),
    [
        (values.Summary, 2000),
        (values.ErrorText, 8000),
        (values.AgentId, 255),
        (values.AgentName, 128),
        (values.Ticket, 64),
        (values.Name, 255),
        (values.EventId, 128),
        (values.ProjectKey, 64),
    ],
)
def test_text_has_its_longest_length(value_type: Any, longest: int) -> None:  # noqa: ANN401  # any value
    assert accept(value_type, "x" * longest) == "x" * longest
    refuse(value_type, "x" * (longest + 1), "at most|match pattern")


def test_lengths_are_characters_not_bytes() -> None:
    assert accept(values.Summary, "é" * 2000) == "é" * 2000
    assert accept(values.Ticket, "🚀" * 64) == "🚀" * 64


@pytest.mark.parametrize(
    "value_type", [values.AgentId, values.AgentName, values.Name, values.EventId, values.ProjectKey]
)
def test_an_id_is_never_empty(value_type: Any) -> None:  # noqa: ANN401  # any value
    refuse(value_type, "", "at least|match pattern")


def test_agents_are_trimmed_before_they_are_measured() -> None:
    assert accept(values.AgentId, f"  {'x' * 255}\n") == "x" * 255
    refuse(values.AgentId, " \t ", "at least 1")


@pytest.mark.parametrize("value_type", [values.Summary, values.ErrorText, values.AgentId, values.Ticket, values.Name])
@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_no_database_takes_is_refused(value_type: Any, text: str) -> None:  # noqa: ANN401  # any value
    refuse(value_type, text, "pattern|unicode|surrogates")


@pytest.mark.parametrize("project", ["Acme", "a b", "a/b", "ä", "a.b", "a\n"])
def test_a_project_key_is_plain(project: str) -> None:
    refuse(values.ProjectKey, project, "pattern")


@pytest.mark.parametrize("event_id", ["a b", "ä", "a\n", "\x7f"])
def test_an_event_id_is_visible_ascii(event_id: str) -> None:
    refuse(values.EventId, event_id, "pattern")


@pytest.mark.parametrize("count", [0, 8400, 8400.0, 2**53 - 1])
def test_whole_numbers_are_counts(count: float) -> None:
    counted = accept(values.Count, count)
    assert counted == count
    assert type(counted) is int


@pytest.mark.parametrize("count", [-1, 2**53, 1.5, True, False, "8400", math.nan, math.inf, 10**400, None])
def test_what_is_no_count_is_refused(count: object) -> None:
    refuse(values.Count, count)


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (0.028, "0.0280000000"),
        ("0.042", "0.0420000000"),
        (0, "0E-10"),
        (Decimal("0.00000000005"), "0E-10"),
        (Decimal("0.00000000015"), "2E-10"),
        (0.1 + 0.2, "0.3000000000"),
        (999_999_999.5, "999999999.5000000000"),
    ],
)
def test_costs_are_rounded_half_even_to_ten_places(cost: object, text: str) -> None:
    assert str(accept(values.CostUsd, cost)) == text


@pytest.mark.parametrize("cost", [-0.01, 10**9, True, "x", math.nan, math.inf, Decimal("sNaN"), [], {}])
def test_what_is_no_cost_is_refused(cost: object) -> None:
    refuse(values.CostUsd, cost)


def test_forty_reported_floats_sum_to_what_was_meant() -> None:
    reported = [0.1 + index / 7 for index in range(40)]
    total = sum((accept(values.CostUsd, cost) for cost in reported), Decimal(0))
    assert total == sum((Decimal(repr(cost)).quantize(Decimal("1e-10")) for cost in reported), Decimal(0))


def test_times_are_held_in_utc() -> None:
    local = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=3)))
    assert accept(values.Timestamp, local).utcoffset() == timedelta(0)
    assert accept(values.Timestamp, "2026-03-02T12:00:00+03:00") == datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "time",
    ["2026-03-02T12:00:00", "yesterday", "0001-01-01T00:00:00+14:00", 4561, 4561.5, True, Decimal(4561), "4561", "0.5"],
)
def test_what_is_no_instant_is_refused(time: object) -> None:
    refuse(values.Timestamp, time)


def test_objects_are_32_deep_and_not_deeper() -> None:
    assert accept(values.JsonObject, nested(32)) == nested(32)
    refuse(values.JsonObject, nested(33), "nested deeper than 32")


def test_depth_far_beyond_is_refused_without_a_crash() -> None:
    refuse(values.JsonObject, nested(10_000), "nested deeper than 32")


def test_objects_hold_256_kib_and_not_a_byte_more() -> None:
    room = 256 * 1024 - len('{"a":""}')
    accept(values.JsonObject, {"a": "x" * room})
    refuse(values.JsonObject, {"a": "x" * (room + 1)}, "takes 262145 bytes")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": {"b": math.nan}}, "a.b: must be a finite number"),
        ({"a": [0, math.inf]}, r"a\[1\]: must be a finite number"),
        ({"a": "x\x00"}, "a: must not hold NUL"),
        ({"x\x00": 1}, "NUL"),
        ({"a": "\ud83d"}, "a: must not hold lone surrogates"),
        ({"\udc00": 1}, "surrogates"),
        ({"a": 2**64}, "a: is an integer of more than 64 bits"),
        ({"a": -(2**63) - 1}, "more than 64 bits"),
        ({"a": {1: 2}}, "a: has a key that is not text"),
        ({"a": datetime(2026, 3, 2, tzinfo=UTC)}, "a: datetime is not a JSON value"),
        ({"a": b"x"}, "a: bytes is not a JSON value"),
        ({"a": {1, 2}}, "a: set is not a JSON value"),
        ({"a": type("float64", (float,), {})(0.5)}, "not JSON serializable: float64"),
        ({"a": Point(1)}, "not JSON serializable: Point"),
        ({"a": {type("Name", (str,), {})("b"): 1}}, "key must be str"),
    ],
)
def test_what_is_no_json_is_refused_by_its_place(value: object, why: str) -> None:
    refuse(values.JsonObject, value, why)


@pytest.mark.parametrize("value", [{"a": 2**64 - 1}, {"a": -(2**63)}, {"a": [None, True, 1.5, "ü🚀"]}, {}])
def test_json_is_kept_as_it_is(value: object) -> None:
    assert accept(values.JsonObject, value) == value


def test_two_hundred_traces_and_not_one_more() -> None:
    assert len(accept(values.Traces, [{}] * 200)) == 200
    refuse(values.Traces, [{}] * 201, "at most 200")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), _JSON, max_size=4))
def test_any_json_object_is_taken(value: dict[str, Any]) -> None:
    assert accept(values.JsonObject, value) == value
    assert json.loads(json.dumps(value)) == value
