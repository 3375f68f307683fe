"""Errors of the scoring workers.

ScoringError
├── UnknownScorerError    no scorer of that name is installed, or two claim one rubric
├── AnswerError           the broker refused an answer or a dead letter
├── ReadError             the broker refused a read
├── PositionError         the group's position is no longer in the log: jobs would be skipped
└── DeadLetterLimitError  so many jobs cannot be scored that something larger is wrong
"""

from __future__ import annotations

from runledger.schemas.dead_letter_limits import Excess


class ScoringError(Exception):
    """Root of what `runledger.scoring` raises."""


class UnknownScorerError(ScoringError):
    """No scorer of that name is installed, or two claim the same rubric."""


class AnswerError(ScoringError):
    """The broker refused an answer or a dead letter; the job's position has not moved."""


class ReadError(ScoringError):
    """The broker refused a read."""


class PositionError(ScoringError):
    """The log no longer holds the group's committed position: jobs were deleted unscored, or the topic was made anew.

    Args:
        topic: the jobs' topic.
        partition: which of its partitions.
        reason: the broker's words.
    """

    def __init__(self, topic: str, partition: int | None, reason: str) -> None:
        super().__init__(f"{topic}[{partition}]: {reason}; reset the group's offsets to go on")
        self.topic = topic
        self.partition = partition


class DeadLetterLimitError(ScoringError):
    """So many jobs became dead letters that something larger is wrong; the one too many is not written.

    Args:
        topic: the jobs' topic.
        partition: which of its partitions.
        excess: the job, and which limit it passed.
    """

    def __init__(self, topic: str, partition: int, excess: Excess) -> None:
        super().__init__(f"{topic}[{partition}]: {excess}")
        self.topic = topic
        self.partition = partition
