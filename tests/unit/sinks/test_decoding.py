from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas import codec
from runledger.schemas.errors import DecodeError
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.usage import UsageTotals
from runledger.sinks.decoding import decode_agent, decode_logged, decode_run
from runledger.sinks.rows import PLAIN_RUN_COLUMNS, RUN_COLUMNS, Run, run_row
from tests.unit.sinks.build import NOON, health_record, logged_record, outcome, snapshot, streak_record

_WHOLE = snapshot(
    1,
    agent_rank=(NOON, "e-1"),
    started_at=NOON - timedelta(microseconds=1),
    parent_run_id=UUID(int=3),
    summary="é \u0000 \\ \n",
    actions_taken={"a": [1, 1e22, {"b": None}], "big": 2**64 - 1, "small": -(2**63)},
    final=UsageTotals(cost_usd=Decimal("0.0000000001"), llm_calls=0),
    models=("a", "b"),
    outcome="partial",
    heard_at=NOON,
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


def _form(record: object) -> dict[str, Any]:
    form: dict[str, Any] = msgspec.to_builtins(record)
    return form


def _same(found: object, expected: object) -> bool:
    """Tell whether all that was read is as expected, whatever class holds it; not everything is read."""
    form = _form(expected)
    return _form(found) == {name: form[name] for name in _form(found)}


@pytest.mark.parametrize("state", [_WHOLE, snapshot(1), replace(_WHOLE, final=None, actions_taken=None)])
def test_decode_run_reads_what_the_codec_reads(state: RunSnapshot) -> None:
    assert _same(decode_run(codec.encode(state)), state)
    assert codec.decode(RunSnapshot, codec.encode(state)) == state


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), _JSON, max_size=4))
def test_decode_run_keeps_what_a_run_says_it_did(actions: dict[str, object]) -> None:
    value = codec.encode(replace(_WHOLE, actions_taken=actions))
    assert _same(decode_run(value), codec.decode(RunSnapshot, value))


def test_decode_run_reads_the_state_of_an_older_processor() -> None:
    document = orjson.loads(codec.encode(_WHOLE))
    del document["heard_at"], document["agent_rank"], document["usage"]["reasoning_tokens"]
    assert _same(decode_run(orjson.dumps(document)), replace(_WHOLE, heard_at=None, agent_rank=None))


def test_decode_run_takes_what_is_left_out_for_its_default() -> None:
    state = snapshot(1, events=0, reported=UsageTotals(), usage=UsageTotals())
    document = {
        name: value for name, value in orjson.loads(codec.encode(state)).items() if value not in (None, 0, False)
    }
    for name in ("reported", "usage", "models", "status", "cost_source"):
        del document[name]
    assert _same(decode_run(orjson.dumps(document | {"born_offset": 0})), state)


def test_decode_run_reads_every_column() -> None:
    run = decode_run(codec.encode(_WHOLE))
    assert len(run_row(Run(0, run))) == len(RUN_COLUMNS)
    assert run_row(Run(0, run))[:PLAIN_RUN_COLUMNS] == run_row(Run(0, _WHOLE))[:PLAIN_RUN_COLUMNS]


def test_decode_agent_reads_what_the_codec_reads() -> None:
    value = health_record(0).value
    assert _same(decode_agent(value), codec.decode(AgentHealth, value))


def test_decode_logged_reads_both_kinds_of_record() -> None:
    for record in (logged_record(0, outcome(1)), streak_record(0, 1, silence=2)):
        assert _form(decode_logged(record.value)) == _form(codec.decode_run_log(record.value))


def test_decode_run_takes_what_only_the_codec_takes() -> None:
    document = orjson.loads(codec.encode(_WHOLE)) | {"version": "7"}
    assert decode_run(orjson.dumps(document)).version == 7


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"version": "x"}, "invalid", "version"),
        ({"status": "secret"}, "invalid", "status"),
        ({"run_id": "no id"}, "invalid", "run_id"),
        ({"last_logged_at": "now"}, "invalid", "last_logged_at"),
        ({"actions_taken": [1]}, "invalid", "actions_taken"),
        ({"usage": {"cost_usd": "NaN"}}, "invalid", "usage.cost_usd"),
        ({"final": {"cost_usd": "-0.1"}}, "invalid", "final.cost_usd"),
        ({"models": "a"}, "invalid", "models"),
    ],
)
def test_decode_run_refuses_what_is_no_snapshot(change: dict[str, object], reason: str, field: str) -> None:
    value = orjson.dumps(orjson.loads(codec.encode(_WHOLE)) | change)
    with pytest.raises(DecodeError) as raised:
        decode_run(value)
    assert (raised.value.reason, raised.value.field) == (reason, field)
    assert "secret" not in raised.value.detail


def test_decode_logged_refuses_a_cost_that_is_no_number() -> None:
    broken = replace(outcome(1), usage=UsageTotals(cost_usd=Decimal("Infinity")))
    with pytest.raises(DecodeError):
        decode_logged(logged_record(0, broken).value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"{", "not_json"),
        (b'{"summary": "\xff"}', "not_json"),
        (b'{"summary": "\\ud800"}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"{}", "invalid"),
        (b"null", "invalid"),
    ],
)
def test_decode_refuses_what_is_no_record(value: bytes | None, reason: str) -> None:
    for decode in (decode_run, decode_agent, decode_logged):
        with pytest.raises(DecodeError) as raised:
            decode(value)
        assert raised.value.reason == reason
