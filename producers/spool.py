"""A file for events that could not be delivered, until they can.

One event a line, as CloudEvents JSON, behind a first line that says up to which byte they have been acknowledged. The
file is held by a lock, so that one process writes it; a line that was torn by a crash is cut off; only acknowledged
events leave it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from runledger.producers.errors import SpoolLockedError
from runledger.producers.records import Record
from runledger.schemas.errors import DecodeError

_MAGIC = b"runledger-spool 1 "
_HEADER_BYTES = len(_MAGIC) + 20 + 1
_READ_BYTES = 1024 * 1024
"""More than one event takes."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events next in line.

    Args:
        records: the events.
        lines: how many lines they were read from; more than the records where lines are damaged.
        next_byte: where the line after them begins.
    """

    records: tuple[Record, ...]
    lines: int
    next_byte: int


class Spool:
    """One spool file. Safe to share between threads; held until closed.

    A write reaches the operating system before `append` returns, so a killed process loses nothing; `sync` brings it to
    the disk, and until then a power cut may lose it.

    Args:
        path: the file; made if it is missing, with access for its owner only.
        max_bytes: its bound.

    Raises:
        SpoolLockedError: another process, or another client, holds it.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._closed = False
        self._size = 0
        self._next_byte = _HEADER_BYTES
        self._waiting = 0
        self._dirty = False
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._hold()
            self._recover()
        except BaseException:
            os.close(self._file)
            raise

    @property
    def waiting(self) -> int:
        """How many events wait here."""
        return self._waiting

    def append(self, record: Record) -> bool:
        """Write an event at the end; False if there is no room, in the file or on the disk."""
        line = record.value + b"\n"
        with self._lock:
            if self._closed or self._size + len(line) > self._max_bytes:
                return False
            try:
                written = os.pwrite(self._file, line, self._size)
            except OSError as error:
                _LOG.warning("the spool cannot be written: %s", error)
                written = 0
            if written < len(line):  # the disk is full: the next line overwrites the torn one
                return False
            self._size += written
            self._waiting += 1
            self._dirty = True
            return True

    def read(self, limit: int) -> Chunk:
        """Read what is next in line, at most `limit` lines; it stays here."""
        with self._lock:
            content = os.pread(self._file, min(_READ_BYTES, self._size - self._next_byte), self._next_byte)
            start = self._next_byte
        lines = content.split(b"\n", limit)[:-1]
        records = tuple(record for line in lines if (record := self._parse(line)) is not None)
        return Chunk(records, len(lines), start + sum(len(line) + 1 for line in lines))

    def acknowledge(self, chunk: Chunk) -> None:
        """Let go of events that have been acknowledged; an empty spool gives its room back.

        A crash just before repeats the chunk, with the same event ids.
        """
        with self._lock:
            if self._closed:  # the descriptor may be another file's by now
                return
            self._next_byte = chunk.next_byte
            self._waiting -= chunk.lines
            if self._next_byte == self._size:
                self._next_byte = self._size = _HEADER_BYTES
                os.ftruncate(self._file, _HEADER_BYTES)
            self._write_header()

    def sync(self) -> None:
        """Bring what was written to the disk. Appending goes on meanwhile."""
        if self._dirty and not self._closed:
            self._dirty = False
            os.fsync(self._file)

    def close(self) -> None:
        """Sync and let go of the file."""
        self.sync()
        with self._lock:
            self._closed = True
            os.close(self._file)

    def abandon(self) -> None:
        """Let go of a file inherited by fork; the lock stays the parent's."""
        os.close(self._file)

    def _hold(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SpoolLockedError(f"{self.path} is held by another client") from None

    def _recover(self) -> None:
        """Take up what an earlier process left; what it left half written was never promised to anybody."""
        self._size = os.fstat(self._file).st_size
        self._next_byte = self._read_header()
        end = self._next_byte
        while content := os.pread(self._file, _READ_BYTES, end):
            whole = content.rfind(b"\n") + 1
            if not whole:
                break
            self._waiting += content.count(b"\n")
            end += whole
        if end < self._size:
            _LOG.warning("a torn last line of %d bytes is cut off the spool", self._size - end)
            os.ftruncate(self._file, end)
        self._size = max(end, _HEADER_BYTES)

    def _read_header(self) -> int:
        header = os.pread(self._file, _HEADER_BYTES, 0)
        digits = header[len(_MAGIC) : -1]
        if header and not header.startswith(_MAGIC[: len(header)]):
            raise OSError(f"{self.path} is not a spool of Runledger; it is left as it is")
        if digits.isdigit() and len(header) == _HEADER_BYTES and _HEADER_BYTES <= int(digits) <= self._size:
            return int(digits)
        self._next_byte = _HEADER_BYTES
        self._write_header()
        self._size = max(self._size, _HEADER_BYTES)
        return _HEADER_BYTES

    def _write_header(self) -> None:
        os.pwrite(self._file, _MAGIC + b"%020d\n" % self._next_byte, 0)

    def _parse(self, line: bytes) -> Record | None:
        try:
            return Record.read(line)
        except DecodeError as error:
            _LOG.error("a damaged line of the spool is left out: %s", error)
            return None
