"""What readers make of the tables' columns."""

from __future__ import annotations

import orjson
import pytest
from psycopg import postgres
from psycopg.adapt import Transformer
from psycopg.pq import Format

from runledger.analytics.database import reading_types


@pytest.mark.parametrize(
    ("told", "stored"), [(1e30, b"1" + b"0" * 30), (-1e25, b"-1" + b"0" * 25), (2**64 - 1, b"18446744073709551615")]
)
@pytest.mark.parametrize("type_", ["json", "jsonb"])
def test_a_number_within_json_is_read_as_it_was_told_and_can_be_written_again(
    type_: str, told: float, stored: bytes
) -> None:
    read = Transformer(reading_types()).get_loader(postgres.types[type_].oid, Format.TEXT).load(stored)
    assert read == told
    assert type(read) is type(told)
    assert orjson.loads(orjson.dumps(read)) == told
