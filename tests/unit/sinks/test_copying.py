from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.schemas.usage import UsageTotals
from runledger.sinks.copying import copy_lines, copy_text

_AT = datetime(2026, 3, 1, 12, 0, 0, 120, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\\N"),
        ("\\N", "\\\\N"),
        ("\\.", "\\\\."),
        ("a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e"),
        ("", ""),
        ("é\u2028😀", "é\u2028😀"),
        (True, "t"),
        (False, "f"),
        (-(2**63), "-9223372036854775808"),
        (Decimal("1E-10"), "1E-10"),
        (date(2026, 3, 1), "2026-03-01"),
        (_AT, "2026-03-01T12:00:00.000120Z"),
        (_AT.astimezone(timezone(timedelta(hours=-5, minutes=-30))), "2026-03-01T06:30:00.000120-05:30"),
        (UUID(int=10), "00000000-0000-0000-0000-00000000000a"),
        ({"a": "\\ \n"}, '{"a":"\\\\\\\\ \\\\n"}'),
        ((), "{}"),
        (("a", "NULL", '"\\,{}'), '{"a","NULL","\\\\"\\\\\\\\,{}"}'),
    ],
)
def test_copy_text_writes_a_value_as_copy_reads_it(value: object, text: str) -> None:
    assert copy_text([(value,)]).decode() == f"{text}\n"


def test_copy_text_writes_costs_within_json_as_text() -> None:
    (value,) = copy_text([(UsageTotals(input_tokens=1, cost_usd=Decimal("0.10")),)]).decode().splitlines()
    assert value.startswith('{"input_tokens":1,')
    assert '"cost_usd":"0.10"' in value


def test_copy_text_writes_a_line_for_each_row() -> None:
    assert copy_text([(1, "a"), (2, None)]) == b"1\ta\n2\t\\N\n"
    assert copy_text([]) == b""


_PLAIN = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.integers(),
    st.none() | st.decimals(0, 10**9, places=10),
    st.none() | st.uuids(),
    st.none() | st.dates(),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.sampled_from(["success", "null-project", "null", "true", "runledger.run.ended.v1"]),
)
_OTHERS = st.tuples(st.none() | st.text(st.characters(exclude_categories=["Cs"])), st.none() | st.booleans())


@given(st.lists(st.tuples(_PLAIN, _OTHERS).map(lambda parts: parts[0] + parts[1])))
def test_copy_lines_writes_plain_values_as_it_writes_any(rows: list[tuple[object, ...]]) -> None:
    assert copy_lines(rows, 7) == copy_lines(rows)


def test_copy_lines_takes_json_that_is_written() -> None:
    assert copy_lines([(1, b'{"a":"\\n\\\\"}')], 1) == ['1\t{"a":"\\\\n\\\\\\\\"}']


@pytest.mark.parametrize("value", ["\ud800", {"a": "\ud800"}])
def test_copy_text_blames_a_value_that_cannot_be_sent(value: object) -> None:
    with pytest.raises(psycopg.DataError):
        copy_text([("a",), (value,)])
