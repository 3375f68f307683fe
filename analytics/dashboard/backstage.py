"""What pages need beside the tables: looks behind the scenes, and the few changes that the dashboard makes.

The front door hands it in (runledger/backstage.py), since broker, dead letters and producers are no part of analytics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

Partition: TypeAlias = tuple[str, int]
"""(suffix of a topic's name, partition)."""
LetterState: TypeAlias = Literal["waiting", "replayed", "dropped"]


class BackstageError(Exception):
    """It could not be done; the message says why and what to do, and holds no secret."""


@dataclass(frozen=True, slots=True)
class BrokerLook:
    """What a look at the broker saw.

    Args:
        ends: {partition: end of what is committed}, of all topics.
        begins: {partition: first offset that its log still holds}.
        stands: {worker: {partition: next_offset}} that the workers' groups have committed; not the sink's.
        members: {worker: members of its group}.
    """

    ends: Mapping[Partition, int]
    begins: Mapping[Partition, int]
    stands: Mapping[str, Mapping[Partition, int]]
    members: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WorkerLook:
    """How one worker says it does.

    Args:
        name: of the process, such as processor-1.
        problem: what is wrong, in one line; None where nothing is.
    """

    name: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class LetterSeen:
    """A dead letter, without what it holds.

    Args:
        place: topic/partition/offset of the record, as `runledger dlq` writes it.
        project_key: that its key names; None where it names none.
        topic: suffix of the record's topic.
        reason: constant name.
        meaning: of the reason, for people.
        detail: one line for people.
        reader: who refused it.
        refused_at: when.
        value_bytes: size of its value; None where it has none.
        state: what became of it.
        dealt_with_by: who dealt with it.
        hindrance: why it cannot be sent again; None where nothing is known that hinders.
    """

    place: str
    project_key: str | None
    topic: str
    reason: str
    meaning: str
    detail: str
    reader: str
    refused_at: datetime
    value_bytes: int | None
    state: LetterState
    dealt_with_by: str | None
    hindrance: str | None


@dataclass(frozen=True, slots=True)
class LettersLook:
    """The dead letters, the latest first.

    Args:
        letters: of all projects.
        is_whole: whether the whole topic was looked at; else only the newest records of each partition.
    """

    letters: tuple[LetterSeen, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of sending records again.

    Args:
        done: how many were sent.
        left: {place: why it was not sent}.
    """

    done: int
    left: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of a kind of failure that is resolved.

    Args:
        fingerprint: the kind.
        note: how it was resolved.
        by: who says so.
        event_id: a word told twice with the same id counts once.
    """

    fingerprint: str
    note: str | None
    by: str
    event_id: str


class Backstage(Protocol):
    """All of it blocks, bounded by itself, and is called in threads."""

    def look_at_broker(self) -> BrokerLook:
        """Look where logs end and where readers stand.

        Raises:
            LookError: the broker does not tell.
        """

    def look_at_workers(self) -> tuple[WorkerLook, ...]:
        """Ask the workers that are known how they do; none where none are known."""

    def look_at_letters(self) -> LettersLook:
        """Look at the dead letters.

        Raises:
            LookError: they cannot be read.
        """

    def replay(self, project_key: str, place: str, by: str) -> Replay:
        """Send the record of one dead letter of a project again, once for ever.

        Raises:
            BackstageError: it could not be done.
        """

    def resolve(self, project_key: str, word: Word) -> None:
        """Say that a kind of failure is resolved; return once the broker has it.

        Raises:
            BackstageError: the broker does not take it.
        """
