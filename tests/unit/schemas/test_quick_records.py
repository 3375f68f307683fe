"""Records written quickly are those that `codec.encode` writes, but for the form of their times; read, they equal."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
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
    written, whole = orjson.loads(times_alike(write_record(record))), orjson.loads(times_alike(encode(record)))
    assert written == (without_defaults(record, whole) if kind is RunSnapshot else whole)


def times_alike(value: bytes) -> bytes:
    return value.replace(b'Z"', b'+00:00"')


def without_defaults(record: Any, document: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  # of any class
    """What is left of a record's document: fields that cannot be left out, those that differ, and its version."""
    left: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            left[field.name] = without_defaults(value, document[field.name])
        elif field.name == "schema_version" or value != field.default:
            left[field.name] = document[field.name]
    return left


_VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    int: st.integers(0, 2**53 - 1),
    datetime: st.datetimes(timezones=st.just(UTC)),
    Decimal: st.integers(0, 10**18).map(lambda units: Decimal(units).scaleb(-10)),
    dict[str, Any]: st.dictionaries(st.text(max_size=3), _JSON, max_size=3),
}
_VALUES |= {tuple[datetime, str]: st.tuples(_VALUES[datetime], _VALUES[str])}


def values_of(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  # whatever a field is annotated with
    if hint in _VALUES:
        return _VALUES[hint]
    if get_origin(hint) in {UnionType, Union}:
        return st.one_of(*map(values_of, get_args(hint)))
    return records_of(hint) if dataclasses.is_dataclass(hint) else st.from_type(hint)


def records_of(kind: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  # a dataclass
    """Records whose every field is at its default as often as not."""
    chosen: dict[str, st.SearchStrategy[Any]] = {}
    for field in dataclasses.fields(kind):
        values = values_of(get_type_hints(kind)[field.name])
        known = field.default is not dataclasses.MISSING
        chosen[field.name] = st.just(field.default) | values if known else values
    return st.builds(kind, **chosen)


@given(records_of(RunSnapshot))
def test_any_run_comes_back_as_it_was_whatever_stands_at_its_default(run: RunSnapshot) -> None:
    written = write_record(run)
    assert read_record(RunSnapshot, written) == run
    assert decode(RunSnapshot, written) == decode(RunSnapshot, encode(run))
    assert orjson.loads(times_alike(written)) == without_defaults(run, orjson.loads(times_alike(encode(run))))


def test_a_run_of_which_little_is_known_takes_little() -> None:
    run = RunSnapshot("p", UUID(int=7), 0, 1, datetime(2026, 1, 2, tzinfo=UTC), events=1)
    assert orjson.loads(write_record(run)) == {
        "project_key": "p",
        "run_id": str(UUID(int=7)),
        "born_offset": 0,
        "version": 1,
        "last_logged_at": "2026-01-02T00:00:00Z",
        "schema_version": 1,
        "reported": {},
        "usage": {},
        "events": 1,
    }


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
    assert orjson.loads(written)["usage"] == {"cost_usd": orjson.loads(encode(run))["usage"]["cost_usd"]}


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
