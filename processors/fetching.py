"""Take fetched records as aiokafka's compiled parser makes them, and know when each answer was asked for.

aiokafka copies each into a ConsumerRecord of eleven fields, through a generator inside an iterator: 1.1 µs of the 3
that it takes from the socket to the fold. Of those fields only `offset`, `timestamp`, `timestamp_type`, `key`,
`value` and `headers` are wanted, and the parser's own records have them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from aiokafka.consumer import consumer, fetcher
from aiokafka.structs import TopicPartition

from runledger.processors.lenient_names import KeptRecords, read_leniently

__all__ = ["Asked", "DatedFetcher", "ParsedRecords", "fetch_parsed_records"]


Parsed: TypeAlias = Any
"""A record as compiled code makes it; see `records.Record`."""
Untyped: TypeAlias = Any
"""aiokafka's own, as its fetcher hands it on."""


class ParsedRecords(fetcher.PartitionRecords):
    """aiokafka's walk over a fetch of one partition, past aborted transactions; it gives the parser's records."""

    _records_iterator: Iterator[Parsed]

    def __iter__(self) -> Iterator[Parsed]:
        """Return the walk itself, the same one each time: whoever stops goes on where he was."""
        return self._records_iterator

    def _consumer_record(self, tp: object, record: Parsed) -> Parsed:
        return record

    def _unpack_records(self) -> Iterator[Parsed]:
        while True:
            try:
                yield from super()._unpack_records()  # type: ignore[no-untyped-call]  # aiokafka's
            except UnicodeDecodeError:  # the walk goes on behind the batch that has such a name
                yield from self._rest_of_batch()
            else:
                return

    def _rest_of_batch(self) -> Iterator[Parsed]:
        for record in read_leniently(self._records.last):
            if record.offset >= self.next_fetch_offset:
                self.next_fetch_offset = record.offset + 1
                yield record


class Asked(NamedTuple):
    """What an answered fetch says of a partition."""

    at: float
    """When it was asked for, in seconds since 1970."""
    highwater: int
    """The offset behind the last record that was logged until then, or later."""


class DatedFetcher(fetcher.Fetcher):
    """aiokafka's fetcher, which dates an answer by its arrival here: one that waited for us would pass for news."""

    def __init__(self, *args: Untyped, **kwargs: Untyped) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.asked: dict[TopicPartition, Asked] = {}

    async def _proc_fetch_request(self, assignment: Untyped, node_id: int, request: Untyped) -> bool:
        asked_at = time.time()
        woken: bool = await super()._proc_fetch_request(assignment, node_id, request)  # type: ignore[no-untyped-call]
        if assignment.active:  # nothing is awaited between the answer and here
            for topic, partitions in request.topics:
                for partition, *_ in partitions:
                    self._date(assignment, TopicPartition(topic, partition), asked_at)
        return woken

    def _date(self, assignment: Untyped, tp: TopicPartition, asked_at: float) -> None:
        state = assignment.state_value(tp)
        if state.timestamp is not None and state.timestamp >= int(1000 * asked_at):  # answered, and without an error
            self.asked[tp] = Asked(asked_at, state.highwater)


def fetch_parsed_records() -> None:
    """Have every consumer of aiokafka's in this process fetch so; it takes no class for records or fetcher."""
    fetcher.PartitionRecords = ParsedRecords  # type: ignore[misc]  # a class, but looked up at each fetch
    consumer.Fetcher = DatedFetcher  # type: ignore[attr-defined]  # looked up when a consumer starts
    fetcher.MemoryRecords = KeptRecords  # type: ignore[attr-defined]  # looked up at each fetch too
