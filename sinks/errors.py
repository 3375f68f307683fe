"""Errors of the sinks.

SinkError
├── PositionConflictError     another consumer has written this partition: stop, start again from what stands there
├── StopLoudlyError           going on would lose or repeat something: a person has to look
├── DeliveryError             the broker did not acknowledge what the sink produced
├── InterruptedDeliveryError  records were not written and go back to where they came from
└── MigrationError            the tables could not be made; nothing was changed
"""

from __future__ import annotations


class SinkError(Exception):
    """Root of what `runledger.sinks` raises."""


class PositionConflictError(SinkError):
    """The compare-and-set of a position was refused; nothing was written."""


class StopLoudlyError(SinkError):
    """The log is not the one the position speaks of, no longer reaches back to it, or holds too much poison.

    Args:
        message: one line for people.
        topic: full name of the topic concerned.
        partition: its number.
    """

    def __init__(self, message: str, *, topic: str, partition: int) -> None:
        super().__init__(f"{topic}[{partition}]: {message}")
        self.topic = topic
        self.partition = partition


class DeliveryError(SinkError):
    """Some records were not acknowledged; none of them counts as sent."""


class InterruptedDeliveryError(SinkError):
    """The partitions were taken away, or the process is to stop, while the database was away."""


class MigrationError(SinkError):
    """The database cannot be reached, refuses a statement, or is of a newer version; nothing was changed."""
