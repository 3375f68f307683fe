"""What is fetched is what aiokafka's own walk gives, but for the copy; and each answer has the date of its request."""

from __future__ import annotations

import asyncio
import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.codec import lz4_encode
from aiokafka.consumer import consumer, fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from runledger.processors.fetching import Asked, DatedFetcher, ParsedRecords, fetch_parsed_records
from runledger.processors.lenient_names import KeptRecords

_consumer: Any = consumer
_fetcher: Any = fetcher
_parsed: Any = ParsedRecords
"""Half of it is typed."""
HERE = TopicPartition("t.run-events", 3)
LZ4 = 3
CONTROL = 0x20
"""Bit of a batch's attributes in Kafka's protocol."""
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


def marker(start: int, producer: int, *, commit: bool) -> bytes:
    """The end of a transaction, as the broker writes it."""
    builder = DefaultRecordBatchBuilder(2, 0, 1, producer, 0, 0, 1_000_000)
    builder.append(0, timestamp=0, key=struct.pack(">hh", 0, commit), value=bytes(6), headers=[])
    written = builder.build()
    written[:8] = start.to_bytes(8, "big")
    written[22] |= CONTROL
    written[17:21] = calc_crc32c(bytes(written[21:])).to_bytes(4, "big")
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
    _consumer.Fetcher = fetcher.Fetcher


@pytest.mark.usefixtures("restored")
def test_consumers_use_it_from_then_on() -> None:
    fetch_parsed_records()
    assert fetcher.PartitionRecords is ParsedRecords
    assert _consumer.Fetcher is DatedFetcher


class Answering:
    """A broker's connection whose answers wait until the test lets them come."""

    def __init__(
        self, highwater: int, error: int = 0, fetched: bytes = b"", aborted: Sequence[tuple[int, int]] = ()
    ) -> None:
        self.may_answer = asyncio.Event()
        self._partition: tuple[object, ...] = (HERE.partition, error, highwater, highwater, list(aborted), fetched)

    def force_metadata_update(self) -> None:
        """Nobody asks for the answer."""

    async def send(self, node_id: int, request: object) -> SimpleNamespace:
        await self.may_answer.wait()
        return SimpleNamespace(API_VERSION=4, topics=[(HERE.topic, [self._partition])])


def dated(client: Answering) -> Any:  # noqa: ANN401  # aiokafka is untyped
    """A fetcher that has one connection and asks for nothing by itself."""
    made: Any = DatedFetcher.__new__(DatedFetcher)
    made.asked, made._client, made._client_rack = {}, client, None
    made._preferred_read_replica, made._records = {}, OrderedDict()
    made._key_deserializer = made._value_deserializer = made._wait_consume_future = None
    made._check_crcs, made._isolation_level, made._prefetch_backoff = True, READ_COMMITTED, 0.1
    made._fetch_waiters, made._loop = set(), asyncio.get_running_loop()
    made._subscriptions = SimpleNamespace(reassignment_in_progress=False)
    return made


def assigned(position: int) -> SimpleNamespace:
    state = fetcher_state(position)
    return SimpleNamespace(active=True, state_value=lambda _: state)


def fetcher_state(position: int) -> SimpleNamespace:
    return SimpleNamespace(position=position, has_valid_position=True, highwater=None, lso=None, timestamp=None)


REQUEST = SimpleNamespace(topics=[(HERE.topic, [(HERE.partition, 8, 1024)])])


async def test_an_answer_is_as_old_as_its_request_however_late_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped meanwhile would take it for news: all that its runs said since lies beyond it."""
    client = Answering(highwater=8)
    asking = dated(client)
    monkeypatch.setattr("runledger.processors.fetching.time.time", lambda: 1000.0)
    asked = asyncio.create_task(asking._proc_fetch_request(assigned(8), 0, REQUEST))
    await asyncio.sleep(0)
    monkeypatch.setattr("runledger.processors.fetching.time.time", lambda: 1600.0)
    client.may_answer.set()
    await asked
    assert asking.asked == {HERE: Asked(1000.0, 8)}


@pytest.mark.parametrize(("position", "error"), [(8, 6), (9, 0)], ids=["an error", "sought meanwhile"])
async def test_an_answer_that_says_nothing_leaves_the_last_one(position: int, error: int) -> None:
    client = Answering(highwater=8, error=error)
    asking = dated(client)
    asking.asked[HERE] = Asked(1.0, 3)
    client.may_answer.set()
    await asking._proc_fetch_request(assigned(position), 0, REQUEST)
    assert asking.asked == {HERE: Asked(1.0, 3)}


@pytest.mark.parametrize(
    ("fetched", "aborted", "highwater", "is_read"),
    [
        (b"", [], 8, True),
        (marker(8, 5, commit=True), [], 9, True),
        (block(8, [b"a"], producer=5) + marker(9, 5, commit=True), [], 10, True),
        (block(8, [b"a"], producer=5) + marker(9, 5, commit=False), [(5, 8)], 10, True),
        (b"", [], 9, False),
    ],
    ids=["nothing new", "a marker", "committed", "aborted", "a transaction goes on"],
)
@pytest.mark.usefixtures("restored")
async def test_a_log_that_ends_in_a_marker_is_read_to_its_end(
    fetched: bytes, aborted: list[tuple[int, int]], highwater: int, *, is_read: bool
) -> None:
    """Else an idle partition would never give up its runs: nothing else moves its clock."""
    fetch_parsed_records()
    client = Answering(highwater, fetched=fetched, aborted=aborted)
    client.may_answer.set()
    asking, assignment = dated(client), Assignment({HERE})
    assignment.state_value(HERE).seek(8)
    await asking._proc_fetch_request(assignment, 0, REQUEST)
    await asking.fetched_records({HERE}, timeout=0.01)
    assert (asking.asked[HERE].highwater <= assignment.state_value(HERE).position) is is_read
