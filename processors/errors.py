"""Errors of the processors.

ProcessorError
├── StopLoudly    going on would lose, repeat or set aside too much: a person has to look
├── StoreLost     another processor owns the partition now, or the broker refused the transaction
└── Discontinuity a fetched batch does not follow the store's position: start again from it
"""

from __future__ import annotations


class ProcessorError(Exception):
    """Root of what `runledger.processors` raises.

    Args:
        message: one line for people.
        topic: source topic of the partition concerned.
        partition: its number.
    """

    def __init__(self, message: str, *, topic: str, partition: int) -> None:
        super().__init__(f"{topic}[{partition}]: {message}")
        self.topic = topic
        self.partition = partition


class StopLoudly(ProcessorError):
    """The log is not the one the position speaks of, no longer reaches back to it, or brings too many dead letters."""


class StoreLost(ProcessorError):
    """The store's transaction failed: what it held in memory no longer counts."""


class Discontinuity(ProcessorError):
    """Records between the store's position and a batch were never handed over."""
