"""Errors of the SDK.

ProducerError
├── ConfigurationError   the client cannot be made as it was asked for
│   └── SpoolLockedError the spool file is held by another client
├── InvalidEventError    a value breaks the event model; names the field
├── RunEndedError        the run was ended before
├── ClosedError          the client is closed
├── QueueFullError       the local queue stayed full: the broker does not keep up
├── DeliveryError        events the broker has not acknowledged; names them
└── FileFormatError      a line of a file of runs cannot be read; names the line
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

_CALLERS_NAMES = {"project_key": "project", "agent_id": "agent"}


class ProducerError(Exception):
    """Root of what `runledger.producers` raises."""


class ConfigurationError(ProducerError, ValueError):
    """The client cannot be made as it was asked for: an address, a missing key, a spool."""


class SpoolLockedError(ConfigurationError):
    """The spool file is held by another process or client."""


class InvalidEventError(ProducerError):
    """A value breaks the event model; nothing was sent.

    Args:
        field: dotted path of the offending argument, as the caller names it.
        reason: what is wrong with it; never holds the value.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason

    @classmethod
    def from_validation(cls, error: ValidationError) -> InvalidEventError:
        """Name the first field of pydantic's error in the caller's words."""
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = [str(part) for part in first["loc"] if part not in {"data", "token_usage"}]
        if path:
            path[0] = _CALLERS_NAMES.get(path[0], path[0])
        return cls(".".join(path) or "event", first["msg"])


class RunEndedError(ProducerError):
    """The run was ended by this handle before; nothing was sent."""


class ClosedError(ProducerError):
    """The client is closed; nothing was sent."""


class QueueFullError(ProducerError):
    """The local queue stayed full for the whole bounded wait; the event was not queued."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One event without the broker's acknowledgement."""

    event_id: str
    project_key: str
    run_id: UUID
    reason: str
    """The receiver's error, or "pending": still queued, it may yet be delivered."""


class DeliveryError(ProducerError):
    """Events were handed over but not acknowledged.

    Args:
        undelivered: which, and why. Those that failed are named once; those pending are named again by a later flush.
        unnamed: how many more were lost, too many to remember each.
        spooled: how many wait in the spool file, and will be sent later.
    """

    def __init__(self, undelivered: tuple[Undelivered, ...], *, unnamed: int = 0, spooled: int = 0) -> None:
        because = f", the first because: {undelivered[0].reason}" if undelivered else ""
        count = len(undelivered) + unnamed + spooled
        super().__init__(f"{count} events not delivered{because}{f'; {spooled} are in the spool' if spooled else ''}")
        self.undelivered = undelivered
        self.unnamed = unnamed
        self.spooled = spooled


class FileFormatError(ProducerError):
    """A line of a file of runs cannot be read.

    Args:
        path: the file.
        line: its line, counted from 1.
        reason: what is wrong with it.
    """

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason
