"""What COPY makes of our text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runledger.sinks.copying import copy_text
from runledger.sinks.loading import load
from runledger.sinks.sqlstate import decide_error

pytestmark = pytest.mark.integration

_TABLE = """
    CREATE TEMP TABLE held (
        t text, n numeric(20, 10), i bigint, b boolean, a timestamptz, u uuid, j jsonb, m text[], d date
    ) ON COMMIT DELETE ROWS
"""
_COLUMNS = ("t", "n", "i", "b", "a", "u", "j", "m", "d")
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")) | st.sampled_from(
    ["\\N", "\\.", "\t", "\r\n", "\\", "\\\\t", "NULL", '{"a"}', "\u2028", "\x85", "\x0b\x0c\x1c"]
)
_ROW = st.tuples(
    st.none() | _TEXT,
    st.none() | st.decimals(0, 10**9, places=10),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
    st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001  # bounds have none
    st.none() | st.uuids(),
    st.none()
    | st.dictionaries(_TEXT, _TEXT | st.integers(-(2**63), 2**64 - 1) | st.lists(_TEXT, max_size=2), max_size=3),
    st.none() | st.lists(_TEXT, max_size=3).map(tuple),
    st.none() | st.dates(),
)


@pytest.fixture(scope="module")
def connection(servers: tuple[str, str]) -> Iterator[psycopg.Connection]:
    """A connection with a table of every type of column."""
    with psycopg.connect(servers[1], autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(_TABLE)
        yield connection


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_ROW, max_size=4))
def test_rows_come_back_as_they_were_loaded(connection: psycopg.Connection, rows: list[tuple[Any, ...]]) -> None:
    with connection.transaction():
        load(connection, "held", _COLUMNS, copy_text(rows))
        found = connection.execute("SELECT t, n, i, b, a, u, j, m, d FROM held").fetchall()
    assert found == [(*row[:7], None if row[7] is None else list(row[7]), row[8]) for row in rows]


@pytest.mark.parametrize(
    ("column", "value"),
    [("t", "\x00"), ("j", {"a": "\x00"}), ("i", 2**63), ("n", Decimal(10) ** 11), ("u", "no id"), ("a", "soon")],
)
def test_a_value_that_does_not_fit_is_bisected(connection: psycopg.Connection, column: str, value: object) -> None:
    with pytest.raises(psycopg.Error) as raised:
        load(connection, "held", (column,), copy_text([(None,), (value,)]))
    assert decide_error(raised.value) == "bisect"
