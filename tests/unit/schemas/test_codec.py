from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode, decode_event, decode_run_log, encode, encode_event
from runledger.schemas.errors import DecodeError, EncodeError
from runledger.schemas.identifiers import new_event_id, run_key
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    FailureData,
    FailureRecorded,
    LoggedData,
    RunEnded,
    RunLogged,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage
from runledger.schemas.values import MAX_EVENT_BYTES
from tests.fuzz.nasty import examples_of

RUN_ID = UUID(int=1)
DOCUMENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": "runledger.run.ended.v1",
    "source": "me",
    "id": "e1",
    "projectkey": "default",
    "subject": str(RUN_ID),
    "time": "2026-03-02T09:00:00Z",
    "data": {"status": "completed"},
}


def document(**changes: object) -> bytes:
    return orjson.dumps({key: value for key, value in (DOCUMENT | changes).items() if value is not ...})


def refusal(value: bytes | None, key: bytes | None = None) -> DecodeError:
    with pytest.raises(DecodeError) as refused:
        decode_event(value, key)
    return refused.value


def test_an_event_by_anybody_is_read() -> None:
    event = decode_event(
        document(datacontenttype=..., traceparent="x", agentid="sage"), b"default/" + str(RUN_ID).encode()
    )
    assert isinstance(event, RunEnded)
    assert (event.event_id, event.agent_id, event.source) == ("e1", "sage", "me")


def test_fields_of_a_newer_writer_are_left_out() -> None:
    data: dict[str, object] = {"status": "completed", "token_usage": {"input_tokens": 1}}
    newer = data | {"mood": "calm", "token_usage": {"input_tokens": 1, "thinking_tokens": 2}}
    assert decode_event(document(data=newer, shard=3), None) == decode_event(document(data=data), None)


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (None, "empty", None),
        (b"", "empty", None),
        (b"{", "not_json", None),
        (b"\xff", "not_json", None),
        (b'{"a": NaN}', "not_json", None),
        (b"[" * 10_000, "not_json", None),
        (b"x" * (MAX_EVENT_BYTES + 1), "too_large", None),
        (b"[]", "invalid", None),
        (b"3", "invalid", None),
        (b"{}", "unknown_type", "type"),
        (document(type="runledger.run.ended.v9"), "unknown_type", "type"),
        (document(specversion="0.3"), "invalid", "specversion"),
        (document(id=...), "invalid", "id"),
        (document(projectkey="A"), "invalid", "projectkey"),
        (document(subject="1"), "invalid", "subject"),
        (document(time="2026-03-02T09:00:00"), "invalid", "time"),
        (document(data=...), "invalid", "data"),
        (document(data={"status": "done"}), "invalid", "data.status"),
        (document(data={"status": "failed", "summary": "x" * 2001}), "invalid", "data.summary"),
        (document(data={"status": "failed", "meta": []}), "invalid", "data.meta"),
        (
            document(data={"status": "failed", "token_usage": {"input_tokens": -1}}),
            "invalid",
            "data.token_usage.input_tokens",
        ),
        (document(data={"status": "failed", "traces": [{}, 3]}), "invalid", "data.traces.1"),
    ],
)
def test_what_is_no_event_is_refused_with_reason_and_field(value: bytes | None, reason: str, field: str | None) -> None:
    refused = refusal(value)
    assert (refused.reason, refused.field) == (reason, field)
    assert str(refused) == f"{reason}: {refused.detail}"
    assert field is None or field in refused.detail


def test_a_refusal_never_repeats_the_value() -> None:
    assert "hunter2" not in str(refusal(document(data={"status": "hunter2"})))


def test_an_event_under_anothers_key_is_refused() -> None:
    assert refusal(document(), run_key("acme", RUN_ID)).reason == "wrong_key"
    assert decode_event(document(), run_key("default", RUN_ID)).run_id == RUN_ID


def test_an_event_of_900000_bytes_is_written_and_not_one_more() -> None:
    def event_of(padding: int) -> RunLogged:
        chunks = {f"c{index}": "x" * 200_000 for index in range(4)}
        traces = {"a": "x" * padding}
        return RunLogged.model_construct(
            event_id="e",
            project_key="default",
            run_id=RUN_ID,
            agent_id="sage",
            occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
            data=LoggedData.model_construct(status="success", actions_taken=chunks | traces),
        )

    room = MAX_EVENT_BYTES - len(encode_event(event_of(0)))
    assert len(encode_event(event_of(room))) == MAX_EVENT_BYTES
    with pytest.raises(EncodeError, match="900001 bytes"):
        encode_event(event_of(room + 1))


def test_costs_travel_as_text() -> None:
    @dataclass(frozen=True)
    class Priced:
        cost_usd: Decimal

    assert encode(Priced(Decimal("0.0420000000"))) == b'{"cost_usd":"0.0420000000"}'


def test_what_has_no_json_form_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        encode({"a": object()})


def test_an_older_record_is_completed_by_its_defaults() -> None:
    assert decode(AgentSettings, b'{"project_key": "default"}') == AgentSettings("default")


def test_a_wrong_record_is_refused_by_its_field() -> None:
    with pytest.raises(DecodeError) as refused:
        decode(AgentSettings, b'{"project_key": "default", "deadline_seconds": 0}')
    assert (refused.value.reason, refused.value.field) == ("invalid", "deadline_seconds")


@pytest.mark.parametrize("value", [None, b"{", b"{}", b'{"type": "logged"}'])
def test_what_is_no_log_record_is_refused(value: bytes | None) -> None:
    with pytest.raises(DecodeError):
        decode_run_log(value)


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=50)
_OBJECT = st.dictionaries(_TEXT, st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | _TEXT, max_size=3)
_COUNT = st.none() | st.integers(0, 2**53 - 1)
_USAGE = st.builds(
    TokenUsage,
    input_tokens=_COUNT,
    output_tokens=_COUNT,
    total_tokens=_COUNT,
    llm_calls=_COUNT,
    model=st.none() | st.text("abc", min_size=1, max_size=9),
    cost_usd=st.none() | st.decimals(0, 10**9 - 1, places=12) | st.floats(0, 10**8),
)
_COMMON: dict[str, st.SearchStrategy[Any]] = {
    "event_id": st.builds(new_event_id),
    "project_key": st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True),
    "run_id": st.uuids(),
    "agent_id": st.text("abcü ", min_size=1, max_size=255).filter(lambda name: bool(name.strip())),
    "occurred_at": st.datetimes(
        datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis wants its bounds naive
        datetime(2200, 1, 1),  # noqa: DTZ001  # as above
        timezones=st.just(UTC) | st.timezones(),
    ),
}


def events_of(event_type: type[AnyRunEvent], data: st.SearchStrategy[Any]) -> st.SearchStrategy[AnyRunEvent]:
    """Events of one type with any attributes."""
    return st.fixed_dictionaries({**_COMMON, "data": data}).map(event_type.model_validate)


_EVENTS = st.one_of(
    events_of(RunStarted, st.builds(StartedData, summary=st.none() | _TEXT, meta=_OBJECT)),
    events_of(UsageReported, st.builds(UsageData, token_usage=_USAGE, traces=st.lists(_OBJECT, max_size=3))),
    events_of(
        RunEnded,
        st.builds(
            EndedData,
            status=st.sampled_from(["completed", "failed", "interrupted"]),
            summary=st.none() | _TEXT,
            meta=_OBJECT,
            token_usage=st.none() | _USAGE,
        ),
    ),
    events_of(
        FailureRecorded,
        st.builds(FailureData, summary=_TEXT, error=st.none() | _TEXT, context=_OBJECT, detached=st.booleans()),
    ),
)


@given(_EVENTS)
def test_every_event_is_read_as_it_was_written(event: AnyRunEvent) -> None:
    value = encode_event(event)
    read = decode_event(value, run_key(event.project_key, event.run_id))
    assert read == event
    assert encode_event(read) == value
    assert read.occurred_at.utcoffset() == timedelta(0)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_event(value)


@pytest.mark.parametrize(
    "hostile",
    [
        b'"revision":"' + b"1" * 65 + b'","actions_taken":{}',
        b'"revision":1,"actions_taken":{"a":' + b"[" * 300 + b"]" * 300 + b"}",
    ],
    ids=["wide", "deep"],
)
def test_a_record_that_could_not_be_written_again_is_none(hostile: bytes) -> None:
    (example,) = [one for one in examples_of("run-outcomes") if not one["inferred"]]
    document = orjson.dumps(example | {"revision": 0, "actions_taken": 0})
    value = document.replace(b',"actions_taken":0', b"").replace(b'"revision":0', hostile)
    with pytest.raises(DecodeError, match="written again"):
        decode(RunOutcome, value)
