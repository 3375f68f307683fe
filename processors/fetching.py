"""Take fetched records as aiokafka's compiled parser makes them.

aiokafka copies each into a ConsumerRecord of eleven fields, through a generator inside an iterator: 1.1 µs of the 3
that it takes from the socket to the fold. Of those fields only `offset`, `timestamp`, `timestamp_type`, `key`,
`value` and `headers` are wanted, and the parser's own records have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from aiokafka.consumer import fetcher

from runledger.processors.lenient_names import KeptRecords, read_leniently

__all__ = ["ParsedRecords", "fetch_parsed_records"]


Parsed: TypeAlias = Any
"""A record as compiled code makes it; see `records.Record`."""


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


def fetch_parsed_records() -> None:
    """Have every consumer of aiokafka's in this process fetch so; it takes no class for its records."""
    fetcher.PartitionRecords = ParsedRecords  # type: ignore[misc]  # a class, but looked up at each fetch
    fetcher.MemoryRecords = KeptRecords  # type: ignore[attr-defined]  # looked up at each fetch too
