"""One supervisor per data folder, by a lock that ends with its holder however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runledger.stack.errors import AlreadyRunningError, explained_disk_errors

EXIT_ALREADY_RUNNING = 3
"""Exit code of a supervisor that found the lock held."""

# Longer than anybody's look whether the lock is held.
_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 0.05


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock for as long as the block runs. Children do not inherit it.

    Raises:
        AlreadyRunningError: somebody else holds it.
    """
    with explained_disk_errors(path.parent):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise AlreadyRunningError(f"a stack already runs on {path.parent}; see `runledger status`")
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock now.

    Raises:
        FolderError: the folder belongs to somebody else, or is none.
    """
    try:
        with explained_disk_errors(path.parent):
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
