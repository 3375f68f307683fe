"""Records written quickly are those that `codec.encode` writes, but for the form of their times; read, they equal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import runledger.schemas
from runledger.schemas.codec import decode, encode
from runledger.schemas.errors import DecodeError
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.quick_records import read_record, write_record
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.usage import UsageTotals

EXAMPLES = Path(runledger.schemas.__file__).parent / "examples"
TYPES: dict[str, type] = {"runs": RunSnapshot, "agents": AgentHealth, "run-outcomes": RunOutcome}
PATHS = [path for folder in TYPES for path in sorted((EXAMPLES / folder).glob("*.json"))]

_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
_JSON = st.recursive(
    _SCALARS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_examples_come_back_as_they_were(path: Path) -> None:
    kind = TYPES[path.parent.name]
    record: object = decode(kind, path.read_bytes())
    assert decode(kind, write_record(record)) == record
    assert read_record(kind, path.read_bytes()) == read_record(kind, write_record(record)) == record
    assert write_record(record).replace(b'Z"', b'+00:00"') == encode(record).replace(b'Z"', b'+00:00"')


@given(
    st.dictionaries(st.text(max_size=3), _JSON, max_size=4),
    st.datetimes(timezones=st.just(UTC)),
    st.integers(0, 10**18),
    st.text(max_size=20),
)
def test_a_run_comes_back_as_it_was(actions: dict[str, Any], at: datetime, cost: int, summary: str) -> None:
    run = RunSnapshot(
        project_key="p",
        run_id=UUID(int=7),
        born_offset=0,
        version=1,
        last_logged_at=at,
        agent_rank=(at, "e"),
        summary=summary,
        actions_taken=actions,
        usage=UsageTotals(cost_usd=Decimal(cost).scaleb(-10)),
    )
    written = write_record(run)
    assert decode(RunSnapshot, written) == decode(RunSnapshot, encode(run))
    assert read_record(RunSnapshot, written) == decode(RunSnapshot, written)
    assert write_record(read_record(RunSnapshot, written)) == written
    assert orjson.loads(written)["actions_taken"] == orjson.loads(encode(run))["actions_taken"]
    assert orjson.loads(written)["usage"] == orjson.loads(encode(run))["usage"]


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{", b"[]", b'{"project_key":"p"}', b'{"project_key":"\xff"}', b'{"project_key":7}'],
    ids=["none", "empty", "broken", "array", "fields_missing", "not_utf8", "wrong_type"],
)
def test_what_is_no_record_is_refused_for_the_same_reason(value: bytes | None) -> None:
    with pytest.raises(DecodeError) as quick:
        read_record(RunSnapshot, value)
    with pytest.raises(DecodeError) as plain:
        decode(RunSnapshot, value)
    assert (quick.value.reason, quick.value.detail) == (plain.value.reason, plain.value.detail)


def test_what_only_the_model_understands_is_read_all_the_same() -> None:
    document = orjson.loads((EXAMPLES / "runs" / "running.json").read_bytes()) | {"events": "7"}
    value = orjson.dumps(document)
    assert read_record(RunSnapshot, value) == decode(RunSnapshot, value)
