"""Which spool file a process writes, and which it takes over from the dead.

Many processes may be started with one path: the first to come holds it, the next ones hold `path.1`, `path.2` and
so on. What a process that is gone has left in any of them is sent by whoever finds it.
"""

from __future__ import annotations

from pathlib import Path

from runledger.producers.errors import SpoolLockedError
from runledger.producers.spool import Spool

MAX_FILES = 64


def open_own(path: Path, max_bytes: int) -> Spool:
    """Hold the first file nobody holds.

    Raises:
        SpoolLockedError: 64 of them are held.
        OSError: the file cannot be opened.
    """
    for candidate in _files(path):
        try:
            return Spool(candidate, max_bytes)
        except SpoolLockedError:
            continue
    raise SpoolLockedError(f"{path} and {MAX_FILES - 1} more beside it are held by other clients")


def open_left(path: Path, max_bytes: int) -> list[Spool]:
    """Hold the files that nobody holds and that still have events."""
    left = []
    for candidate in _files(path):
        if not candidate.exists():
            continue
        try:
            spool = Spool(candidate, max_bytes)
        except SpoolLockedError:
            continue
        if spool.waiting:
            left.append(spool)
        else:
            spool.close()
    return left


def _files(path: Path) -> list[Path]:
    return [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, MAX_FILES))]
