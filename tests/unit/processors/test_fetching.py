"""What is fetched is what aiokafka's own walk gives, but for the copy: so its transactions stay its business."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.codec import lz4_encode
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from runledger.processors.fetching import ParsedRecords, fetch_parsed_records
from runledger.processors.lenient_names import KeptRecords

_fetcher: Any = fetcher
_parsed: Any = ParsedRecords
"""Half of it is typed."""
HERE = TopicPartition("t.run-events", 3)
LZ4 = 3
HEADERS = [("ce_id", b"e-1"), ("content-type", None)]


def block(start: int, values: Sequence[bytes | None], producer: int = -1, codec: int = LZ4) -> bytes:
    """One batch of records on the wire, from an offset on; of a transaction where it names a producer."""
    builder = DefaultRecordBatchBuilder(2, codec, int(producer >= 0), producer, 0, 0, 1_000_000)
    for index, value in enumerate(values):
        key = None if value is None else b"p/" + value
        builder.append(index, timestamp=1_700_000_000_000 + index, key=key, value=value, headers=HEADERS[:index])
    written = builder.build()
    written[:8] = start.to_bytes(8, "big")
    return bytes(written)


def lz4_again(batch: bytes) -> bytes:
    """The same batch, packed."""
    packed = batch[:22] + bytes([batch[22] | LZ4]) + batch[23:61] + lz4_encode(batch[61:])
    packed = packed[:8] + (len(packed) - 12).to_bytes(4, "big") + packed[12:]
    return packed[:17] + calc_crc32c(packed[21:]).to_bytes(4, "big") + packed[21:]


def walk(kind: type[PartitionRecords], fetched: bytes, start: int, aborted: list[tuple[int, int]]) -> PartitionRecords:
    return kind(HERE, MemoryRecords(fetched), aborted, start, None, None, True, READ_COMMITTED)


def fields_of(record: Any) -> tuple[object, ...]:  # noqa: ANN401  # aiokafka is untyped
    headers = tuple(record.headers)
    return record.offset, record.timestamp, record.timestamp_type, record.key, record.value, headers


FETCHES: dict[str, tuple[bytes, int, list[tuple[int, int]]]] = {
    "plain": (block(0, [b"a", b"b", b"c"]), 0, []),
    "not_compressed": (block(0, [b"a", b"b"], codec=0), 0, []),
    "a_gap_between_batches": (block(0, [b"a"]) + block(7, [b"b", None]), 0, []),
    "from_within_a_batch": (block(0, [b"a", b"b", b"c"]), 2, []),
    "a_transaction": (block(0, [b"a"], producer=5) + block(1, [b"b"], producer=5), 0, []),
    "an_aborted_transaction": (block(0, [b"a"], producer=5) + block(1, [b"b"], producer=6), 0, [(5, 0)]),
    "nothing_but_aborted": (block(0, [b"a", b"b"], producer=5), 0, [(5, 0)]),
}


@pytest.mark.parametrize("name", FETCHES)
def test_records_are_those_that_aiokafka_gives(name: str) -> None:
    expected, found = (walk(kind, *FETCHES[name]) for kind in (PartitionRecords, ParsedRecords))
    assert [fields_of(record) for record in found] == [fields_of(record) for record in expected]
    assert found.next_fetch_offset == expected.next_fetch_offset


def test_a_walk_goes_on_where_it_stopped() -> None:
    """As a fetch does of which Faust takes a part at a time."""
    state = SimpleNamespace(paused=False, position=0)
    state.consumed_to = lambda offset: setattr(state, "position", offset)
    assignment = SimpleNamespace(active=True, state_value=lambda _: state)
    records = walk(ParsedRecords, block(0, [b"a", b"b", b"c"]) + block(7, [b"d"]), 0, [])
    result: Any = _fetcher.FetchResult(HERE, assignment=assignment, partition_records=records, backoff=0)
    taken = []
    while result.has_more():
        taken.append([record.value for record in result.getall(2)])
    assert taken == [[b"a", b"b"], [b"c", b"d"], []]
    assert state.position == 8


def test_a_broken_batch_is_refused() -> None:
    broken = bytearray(block(0, [b"a" * 100], codec=0))
    broken[-20] ^= 1
    with pytest.raises(Exception, match="CRC"):
        list(walk(ParsedRecords, bytes(broken), 0, []))


NAMES = {"not_text": b"\xff\xfe", "half_a_pair": b"\xed\xa0\x80", "nul": b"a\0"}


def named(batch: bytes, name: bytes) -> bytes:
    """The batch with this in place of the header name `content-type`, and the checksum that fits."""
    changed = batch.replace(b"content-type", name.ljust(12, b"-"))
    return changed[:17] + calc_crc32c(changed[21:]).to_bytes(4, "big") + changed[21:]


@pytest.mark.parametrize("name", NAMES)
def test_a_header_name_that_is_no_text_stops_nobody(name: str) -> None:
    strange = named(block(7, [b"a", b"b", b"c", b"d"], producer=5, codec=0), NAMES[name])
    fetched = block(0, [b"x"], producer=6) + block(1, [b"y"], producer=5) + strange + block(11, [b"e"])
    records = _parsed(HERE, KeptRecords(fetched), [(6, 0)], 0, None, None, True, READ_COMMITTED)
    found = list(records)
    assert [(record.offset, record.value) for record in found] == [
        *((1, b"y"), (7, b"a"), (8, b"b"), (9, b"c"), (10, b"d"), (11, b"e")),
    ]
    assert records.next_fetch_offset == 12
    strangest = found[3].headers[-1][0]
    assert strangest.encode().startswith(NAMES[name] if name == "nul" else b"\\x")


def test_a_packed_batch_is_read_so_too() -> None:
    batch = lz4_again(named(block(0, [b"a", b"b", b"c"], codec=0), b"\xff"))
    records = _parsed(HERE, KeptRecords(batch), [], 1, None, None, True, READ_COMMITTED)
    assert [record.value for record in records] == [b"b", b"c"]


@pytest.fixture
def restored() -> Iterator[None]:
    yield
    _fetcher.PartitionRecords = PartitionRecords
    _fetcher.MemoryRecords = MemoryRecords


@pytest.mark.usefixtures("restored")
def test_consumers_use_it_from_then_on() -> None:
    fetch_parsed_records()
    assert fetcher.PartitionRecords is ParsedRecords
