"""Send what waits in spool files, as soon as it can be delivered."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from runledger.producers.records import Record
from runledger.producers.spool import Chunk, Spool
from runledger.producers.spool_files import open_left, open_own
from runledger.producers.transport import Failure, Report, Transport, TransportFullError

_LOOK_SECONDS = 0.2
_SYNC_SECONDS = 1.0
_ADOPT_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_CHUNK_LINES = 500
_CLOSE_SECONDS = 5.0
_LOG = logging.getLogger(__name__)


class Spooler:
    """Keep events on disk and send them later, each until it is acknowledged; a thread of its own does the sending.

    Args:
        path: the spool file; see `spool_files` for what happens where several processes share it.
        max_bytes: its bound.
        transport: by which to send.

    Raises:
        SpoolLockedError: too many clients use this path.
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int, transport: Transport) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._transport = transport
        self._own = open_own(path, max_bytes)
        self._adopted: list[Spool] = []
        self._stopping = threading.Event()
        self._emptied = threading.Condition()
        self.sent = 0
        self._thread = threading.Thread(target=self._serve, name="runledger-spool", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many events wait on disk."""
        return self._own.waiting + sum(spool.waiting for spool in tuple(self._adopted))

    def append(self, record: Record) -> bool:
        """Put an event by; False if there is no room."""
        return self._own.append(record)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until nothing waits on disk; False when the time was up first."""
        with self._emptied:
            return self._emptied.wait_for(lambda: not self.waiting, max(0.0, timeout_seconds))

    def stop_sending(self) -> None:
        """Begin no further chunk."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the files. The transport has to be closed before: it reports what was on its way."""
        self._stopping.set()
        self._thread.join(_CLOSE_SECONDS)
        for spool in (self._own, *self._adopted):
            spool.close()

    def abandon(self) -> None:
        """Let go of files inherited by fork."""
        for spool in (self._own, *self._adopted):
            spool.abandon()

    def _serve(self) -> None:
        pause, adopt_at, sync_at = 0.0, 0.0, 0.0
        while not self._stopping.wait(pause or _LOOK_SECONDS):
            now = time.monotonic()
            if now >= sync_at:
                self._sync()
                sync_at = now + _SYNC_SECONDS
            if now >= adopt_at:
                self._adopt()
                adopt_at = now + _ADOPT_SECONDS
            if self._tried(1 if pause else _CHUNK_LINES):
                pause = 0.0
            else:
                pause = min(max(_FIRST_PAUSE_SECONDS, 2 * pause), _LONGEST_PAUSE_SECONDS)

    def _tried(self, first_lines: int) -> bool:
        """Send; False if something has to be tried again, a file that cannot be read or written too."""
        try:
            return self._send_all(first_lines)
        except OSError as error:
            _LOG.warning("the spool cannot be read: %s", error)
            return False

    def _sync(self) -> None:
        try:
            self._own.sync()
        except OSError as error:
            _LOG.warning("the spool cannot be synced: %s", error)

    def _adopt(self) -> None:
        try:
            self._adopted += open_left(self._path, self._max_bytes)
        except OSError as error:
            _LOG.warning("spool files of other processes cannot be read: %s", error)

    def _send_all(self, first_lines: int) -> bool:
        """Send until every file is empty; False as soon as something could not be delivered."""
        limit = first_lines
        for spool in (self._own, *self._adopted):
            while spool.waiting and not self._stopping.is_set():
                chunk = spool.read(limit)
                if not self._send(chunk):
                    return False
                spool.acknowledge(chunk)
                limit = _CHUNK_LINES
        for spool in [spool for spool in self._adopted if not spool.waiting]:
            self._adopted.remove(spool)
            spool.close()
        with self._emptied:
            self._emptied.notify_all()
        return True

    def _send(self, chunk: Chunk) -> bool:
        """Send a chunk and wait for the word on each; False if any has to be sent again."""
        answers = _Answers()
        for record in chunk.records:
            answers.expect()
            if not self._hand_over(record, answers.take):
                answers.take(Failure("no room"))
                break
        again, refused = answers.wait()
        if again:
            return False
        if refused:
            _LOG.error("the receiver refused %d events of the spool for good: %s", len(refused), refused[0].reason)
        self.sent += len(chunk.records) - len(refused)
        return True

    def _hand_over(self, record: Record, report: Report) -> bool:
        """Wait for room: what fills the memory is either delivered or given up in its time."""
        while not self._stopping.is_set():
            try:
                self._transport.send(record, report)
            except TransportFullError:
                self._transport.wait_for_room(_LOOK_SECONDS)
            else:
                return True
        return False


class _Answers:
    """Collect the reports on one chunk."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = 0
        self._failures: list[Failure] = []

    def expect(self) -> None:
        with self._changed:
            self._open += 1

    def take(self, failure: Failure | None) -> None:
        with self._changed:
            self._open -= 1
            if failure is not None:
                self._failures.append(failure)
            self._changed.notify_all()

    def wait(self) -> tuple[list[Failure], list[Failure]]:
        """Wait for every report; give those that ask for another attempt, and those that forbid it."""
        with self._changed:
            self._changed.wait_for(lambda: self._open <= 0)
            return [f for f in self._failures if not f.final], [f for f in self._failures if f.final]
