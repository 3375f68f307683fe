"""Write records as no client of ours would: header names of any bytes. The broker takes them, and asks no questions."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

_CRC_AT, _CHECKED_FROM = 17, 21
"""Where a record batch (magic 2) holds its checksum, and what it is of."""
_PRODUCE, _VERSION = 0, 3


def produce_raw(
    bootstrap: str,
    topic: str,
    key: bytes,
    value: bytes,
    headers: Sequence[tuple[bytes, bytes | None]],
    partition: int = 0,
) -> None:
    """Write one record; the first server of `bootstrap` must lead the partition."""
    records = _batch(key, value, headers)
    name = topic.encode()
    body = struct.pack(">hhihhhiih", _PRODUCE, _VERSION, 1, -1, -1, -1, 10_000, 1, len(name)) + name
    body += struct.pack(">iii", 1, partition, len(records)) + records
    host, _, port = bootstrap.split(",", maxsplit=1)[0].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        (size,) = struct.unpack(">i", _read(connection, 4))
        answer = _read(connection, size)
    (error,) = struct.unpack_from(">h", answer, 4 + 4 + 2 + len(name) + 4 + 4)
    assert error == 0, f"the broker refused it with error {error}"


def _batch(key: bytes, value: bytes, headers: Sequence[tuple[bytes, bytes | None]]) -> bytes:
    """Build with names that stand for the true ones, put those in their places, and sum up again."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1_000_000,
    )
    names = {f"{number:x}".rjust(len(name), "~"): name for number, (name, _) in enumerate(headers)}
    assert all(len(placeholder) == len(name) for placeholder, name in names.items())
    placed = [(placeholder, content) for placeholder, (_, content) in zip(names, headers, strict=True)]
    assert builder.append(0, 1_700_000_000_000, key, value, placed) is not None
    batch = bytes(builder.build())
    for placeholder, name in names.items():
        batch = batch.replace(placeholder.encode(), name, 1)
    checksum = struct.pack(">I", calc_crc32c(batch[_CHECKED_FROM:]))
    return batch[:_CRC_AT] + checksum + batch[_CHECKED_FROM:]


def _read(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        assert part, "the broker closed the connection"
        found += part
    return found
