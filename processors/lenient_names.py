r"""Read records whose header names are not UTF-8: whoever may write to a topic could stop all processors by one.

aiokafka's compiled parser gives up in the midst of such a batch, at every attempt. So each batch's bytes are kept while
it is walked, and the rest of that one is read by aiokafka's slower parser, bytes that are no text written as `\xff`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint_py


class KeptRecords:
    """aiokafka's walk over the batches of a fetch, which remembers the last one's bytes.

    Args:
        fetched: of one partition, as they came.
    """

    def __init__(self, fetched: bytes) -> None:
        self._walk = _MemoryRecordsPy(fetched)
        self.last: memoryview | None = None
        self.has_next = self._walk.has_next
        self.size_in_bytes = self._walk.size_in_bytes

    def next_batch(self) -> Any:  # noqa: ANN401  # compiled
        """Give the next batch."""
        self.last = self._walk._next_slice
        return self._walk.next_batch()


def read_leniently(batch: memoryview) -> Iterator[Any]:
    """Read all records of a batch."""
    reader: Any = _DefaultRecordBatchPy(bytearray(batch))
    reader._maybe_uncompress()
    reader._buffer = _LenientBytes(reader._buffer)
    for _ in range(reader._num_records):
        yield reader._read_msg(decode_varint_py)  # the compiled one takes no bytes of ours


class _LenientBytes(bytearray):
    """Bytes whose slices decode whatever they hold."""

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401  # an index or a slice
        found: Any = super().__getitem__(key)
        return _LenientBytes(found) if isinstance(key, slice) else found

    def decode(self, encoding: str = "utf-8", _errors: str = "strict") -> str:
        return bytes(self).decode(encoding, "backslashreplace")
