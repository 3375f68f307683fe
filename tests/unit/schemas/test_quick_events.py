"""The quick reader decides nothing: what it takes, the model takes, and it comes out equal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

import runledger.schemas
from runledger.schemas import quick_events
from runledger.schemas.codec import decode_event
from runledger.schemas.errors import DecodeError
from runledger.schemas.lean_events import LeanEvent, lean
from runledger.schemas.quick_events import read_lean, read_narrow
from runledger.schemas.values import MAX_EVENT_BYTES
from tests.forms import form_of

EXAMPLES = sorted((Path(runledger.schemas.__file__).parent / "examples" / "run-events").glob("*.json"))
RUN_ID = "0199a0f0-0000-7000-8000-00000000000a"
KEY = f"default/{RUN_ID}".encode()
USAGE: dict[str, Any] = {"input_tokens": 8400, "cost_usd": "0.0280000000", "model": "claude-sonnet-4-5"}
DATA: dict[str, dict[str, Any]] = {
    "runledger.run.started.v1": {"summary": "answer", "meta": {"host": ["a", 1]}, "parent_run_id": RUN_ID},
    "runledger.usage.reported.v1": {"token_usage": USAGE, "traces": [{"step": 1}]},
    "runledger.run.ended.v1": {"status": "completed", "meta": {}, "token_usage": USAGE},
    "runledger.failure.recorded.v1": {"summary": "no", "error": "line 1\nline 2", "context": {"a": None}},
    "runledger.run.recorded.v1": {"summary": "did it", "ticket": "T-1", "meta": {}},
    "runledger.run.logged.v1": {"status": "success", "actions_taken": {"summary": "é"}},
    "runledger.run.heartbeat.v1": {},
    "runledger.run.timed_out.v1": {"last_version": 3},
}


def document(kind: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "source": "runledger",
        "datacontenttype": "application/json",
        "id": "e-1",
        "projectkey": "default",
        "subject": RUN_ID,
        "time": "2026-03-02T09:00:00.25Z",
        "agentid": "sage",
        "type": kind,
        "data": DATA[kind],
    }


def outcome_of(read: Callable[[bytes, bytes | None], object], value: bytes, key: bytes | None) -> object:
    try:
        event = read(value, key)
    except DecodeError as error:
        return error.reason, error.detail, error.field
    return form_of(event)


def decode_lean(value: bytes, key: bytes | None) -> LeanEvent:
    return lean(decode_event(value, key))


def payload_of(write: Callable[[Any], bytes], read: Callable[[bytes, bytes | None], Any], value: bytes) -> object:
    try:
        return form_of(orjson.loads(write(read(value, None).data)))
    except DecodeError:
        return None


def model_json(data: BaseModel) -> bytes:
    return data.__pydantic_serializer__.to_json(data, exclude_none=True)


def check(value: bytes, key: bytes | None = None) -> None:
    assert payload_of(msgspec.json.encode, read_lean, value) == payload_of(model_json, decode_event, value)
    assert outcome_of(read_lean, value, key) == outcome_of(decode_lean, value, key)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_read_as_the_model_reads_them(path: Path) -> None:
    check(path.read_bytes())


@pytest.mark.parametrize("kind", [kind for kind in DATA if kind != "runledger.run.timed_out.v1"])
def test_what_our_producers_write_is_read_quickly(kind: str) -> None:
    value = orjson.dumps(document(kind))
    event = read_narrow(value, KEY)
    assert event is not None
    assert event == lean(decode_event(value, KEY))


@pytest.mark.parametrize(
    "key", [b"default/other", b"", f"other/{RUN_ID}".encode(), f"default/{RUN_ID.upper()}".encode()]
)
def test_a_wrong_key_is_refused_in_words(key: bytes) -> None:
    with pytest.raises(DecodeError, match="key is not"):
        read_lean(orjson.dumps(document("runledger.run.started.v1")), key)


def test_no_value_is_refused_in_words() -> None:
    with pytest.raises(DecodeError, match="no value"):
        read_lean(None)


def test_what_is_too_large_is_refused_in_words() -> None:
    value = orjson.dumps(document("runledger.run.started.v1"))
    with pytest.raises(DecodeError, match="more than"):
        read_lean(value + b" " * MAX_EVENT_BYTES)


_TEXTS = st.sampled_from(
    [
        "",
        " ",
        " sage",
        "sage ",
        "sage\x1c",
        "a\x00b",
        "tab\t",
        "é",
        "\x85",
        "x" * 64,
        "x" * 65,
        "x" * 128,
        "x" * 129,
        "x" * 255,
        "x" * 256,
        "x" * 2000,
        "x" * 2001,
        "x" * 8001,
        "Default",
        "default\n",
        "e 1",
        "e\n",
        "1.0",
        "completed",
        "success",
        RUN_ID,
        RUN_ID.upper(),
        RUN_ID.replace("-", ""),
        f"{{{RUN_ID}}}",
        f"urn:uuid:{RUN_ID}",
        RUN_ID + "\n",
        "2026-03-02T09:00:00Z",
        "2026-03-02T09:00:00.1234567Z",
        "2026-03-02T09:00:00.Z",
        "2026-03-02T09:00:00+02:00",
        "2026-03-02 09:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-W10-1T00:00:00Z",
        "20260302T090000.000Z",
        "2026-03-02t09:00:00z",
        "2026-03-02T09:00:00Z\n",
        "2026-03-02T09:00:00",
        "0.0280000000",
        "0.028",
        "1e3",
        "-1",
        "1_000",
        " 1",
        "NaN",
        "999999999.99999999999",
        "1000000000",
        "0.00000000005",
    ]
)
_NUMBERS = st.sampled_from(
    [0, -0.0, 1, -1, 1.5, 8400.0, 2**53 - 1, 2**53, float(2**53), 2**63, 2**64 - 1, 1e9, 999999999.9, 1e-12, 0.1 + 0.2]
)
_ANY = st.one_of(
    st.none(),
    st.booleans(),
    _NUMBERS,
    _TEXTS,
    st.text(max_size=5),
    st.recursive(
        st.one_of(st.none(), st.booleans(), _NUMBERS, st.text(max_size=3)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
        max_leaves=6,
    ),
)
_FIELDS = [
    *document("runledger.run.started.v1"),
    *("event_id", "project_key", "run_id", "occurred_at", "agent_id", "traceparent"),
]
_DATA_FIELDS = sorted({name for data in DATA.values() for name in data} | {"task_id", "detached", "unknown"})
_USAGE_FIELDS = ["input_tokens", "total_tokens", "cost_usd", "model", "llm_calls", "prompt_preview", "unknown"]


@pytest.mark.parametrize("places", ["", ".", ".1", ".123456", ".1234567", ",1", ".+1", ".1-1"])
def test_places_of_a_second_are_judged_by_the_model(places: str) -> None:
    check(orjson.dumps(document("runledger.run.heartbeat.v1") | {"time": f"2026-03-02T09:00:00{places}Z"}))


def test_a_long_project_key_is_never_remembered() -> None:
    value = orjson.dumps(document("runledger.run.heartbeat.v1") | {"projectkey": "x" * 500_000})
    held = quick_events._is_project.cache_info().currsize
    check(value)
    assert quick_events._is_project.cache_info().currsize == held


@given(
    st.sampled_from(sorted(DATA)),
    st.dictionaries(st.sampled_from(_FIELDS), _ANY, max_size=1),
    st.dictionaries(st.sampled_from(_DATA_FIELDS), _ANY, max_size=1),
    st.dictionaries(st.sampled_from(_USAGE_FIELDS), _ANY, max_size=1),
    st.sets(st.sampled_from(_FIELDS), max_size=1),
)
def test_whatever_its_fields_hold_an_event_is_read_as_the_model_reads_it(
    kind: str, around: dict[str, Any], inside: dict[str, Any], usage: dict[str, Any], missing: set[str]
) -> None:
    data = DATA[kind] | inside
    if isinstance(data.get("token_usage"), dict):
        data["token_usage"] = data["token_usage"] | usage
    whole = document(kind) | {"data": data} | around
    check(orjson.dumps({name: value for name, value in whole.items() if name not in missing}), None)


_PIECES = st.sampled_from(
    [
        b'"',
        b"\\u0000",
        b"\\ud800",
        b"\\n",
        b"\\",
        b"\x00",
        b"\x1f",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b",",
        b"{}",
        b"[",
        b"1e400",
        b"NaN",
        b"01",
        b"-0",
        b"1.0",
        b"8400.00",
        b"99999999999999999999",
        b' "type":"runledger.run.ended.v1",',
        b'"data":{},',
        b'"meta":{"a":"\xff"},',
        b'"id":"e-2",',
        b'"agentid":null,',
        b"  ",
        b"//",
    ]
)


@given(st.sampled_from(sorted(DATA)), st.integers(0, 500), st.integers(0, 6), _PIECES)
@example("runledger.run.started.v1", 1, 0, b'"type":"runledger.run.heartbeat.v1",')
@example("runledger.run.started.v1", 1, 0, b'"data":{"meta":{"a":"\xff"}},')
def test_whatever_the_bytes_are_they_are_read_as_the_model_reads_them(
    kind: str, at: int, cut: int, piece: bytes
) -> None:
    value = orjson.dumps(document(kind))
    check(value[:at] + piece + value[at + cut :])


@pytest.mark.parametrize("depth", [31, 32, 33, 900, 3000, 200_000])
def test_nesting_is_judged_by_the_model(depth: int) -> None:
    value = orjson.dumps(document("runledger.run.started.v1"))
    check(value.replace(b'["a",1]', b"[" * depth + b"]" * depth))


@pytest.mark.parametrize("length", [262_136, 262_137, 300_000])
def test_the_room_of_a_value_is_judged_by_the_model(length: int) -> None:
    whole = document("runledger.run.logged.v1")
    check(orjson.dumps(whole | {"data": {"status": "failed", "actions_taken": {"a": "x" * length}}}))


@pytest.mark.parametrize("number", [b"9223372036854775807", b"18446744073709551615", b"18446744073709551616", b"1e400"])
def test_wide_numbers_are_judged_by_the_model(number: bytes) -> None:
    value = orjson.dumps(document("runledger.run.started.v1"))
    check(value.replace(b'["a",1]', b"[" + number + b",-" + number + b"]"))


def test_two_hundred_traces_are_taken_and_no_more() -> None:
    for count in (200, 201):
        whole = document("runledger.usage.reported.v1")
        check(orjson.dumps(whole | {"data": {"token_usage": USAGE, "traces": [{"n": 1}] * count}}))
