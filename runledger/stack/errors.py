"""Errors of the local stack; each message is one line and ends with what to do.

StackError
├── FetchError            Kafka's jars could not be fetched, or are not the ones we know
├── PortTakenError        somebody else listens on a port of ours
├── FolderError           the data or cache folder cannot be written
├── DiskFullError         no room for the data
├── ServerFailedError     a process did not come up; holds the last lines of its log
├── AlreadyRunningError   another supervisor holds the data folder
└── StopError             a process is still there after a kill
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent


class StackError(Exception):
    """Root of what `runledger.stack` raises."""


class FetchError(StackError):
    """Kafka's jars could not be fetched, or differ from the pinned ones."""


class PortTakenError(StackError):
    """A port of the stack is in use by another program."""


class FolderError(StackError):
    """The data or cache folder cannot be written."""


class DiskFullError(StackError):
    """The file system of the folder has no room left."""


class ServerFailedError(StackError):
    """A process did not come up.

    Args:
        message: one line, with the remedy.
        log_tail: the last lines of the process's log.
    """

    def __init__(self, message: str, log_tail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.log_tail = log_tail

    def __str__(self) -> str:
        """The message, and below it what the process said last."""
        return f"{self.message}\n{indent(self.log_tail, '  | ')}" if self.log_tail else self.message


class AlreadyRunningError(StackError):
    """Another supervisor holds the data folder."""


class StopError(StackError):
    """A process survived its kill."""


@contextmanager
def explained_disk_errors(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write below `folder` into errors that name a remedy.

    Raises:
        FolderError: permission denied, read-only file system, or a file in the way.
        DiskFullError: no space, or the quota is used up.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(
                f"the disk below {folder} is full; free some space or choose another folder with --data-dir"
            ) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}:
            raise FolderError(
                f"{folder} cannot be written ({error.strerror}); choose another folder with --data-dir"
            ) from error
        raise
