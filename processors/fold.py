"""Fold fetched records into one transaction's changes: pure, so that a repeat after a lost commit folds the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar

from runledger.processors.dedupe import event_hash
from runledger.processors.evolve import freeze
from runledger.processors.records import Batch, Changes, Due, Output, Record, Tombstone, log_time
from runledger.processors.state import PartitionState
from runledger.schemas.dead_letter_limits import count
from runledger.schemas.dead_letter_marks import REPLAY_OF, replay_of
from runledger.schemas.dead_letters import DeadLetter
from runledger.schemas.errors import DecodeError

S = TypeVar("S")

_REVIEWED_AT_ONCE = 2000
"""A few milliseconds, so that batches go on between."""
_EVICTED_AT_ONCE = 5000
MAX_REJECTED = 1000
"""Dead letters within the window whose event ids stay free; ids of more are taken, as if their events had counted."""


class Stage(Protocol[S]):
    """One of the two processors: its topics, its state and its reducer."""

    name: str
    source: str
    changelog: str
    positions: str
    dead_letters: str
    deduplicates: bool
    commit_interval_seconds: float

    @property
    def policy_revision(self) -> int:
        """Grows whenever `due_at` may answer another time for the same state."""

    def restore(self, value: bytes) -> S:
        """Read a state from the changelog."""

    def due_at(self, state: S) -> datetime | None:
        """Log time at which `expire` may have something to do for a state."""

    def settled_at(self, state: S) -> datetime | None:
        """Log time since which a state may leave memory early, to make room; None where it must stay."""

    def apply(self, state: S | None, record: Record, logged_at: datetime, changes: Changes[S]) -> None:
        """Apply one record to its key's state and add what comes of it to `changes`.

        Raises:
            DecodeError: the record is not valid; nothing was added.
        """

    def expire(self, key: bytes, state: S, due: Due, changes: Changes[S]) -> None:
        """Add to `changes` what has become due for a state."""


def fold(stage: Stage[S], held: PartitionState[S], batches: Sequence[Batch]) -> Changes[S]:
    """Fold the records above the position.

    Args:
        stage: whose reducer.
        held: committed state; not changed.
        batches: of one partition, in order, without a gap; records below the position are skipped.

    Returns:
        The changes; where there are too many dead letters, those of the records before the one too many.
    """
    changes: Changes[S] = Changes(next_offset=max([held.next_offset, *(batch.end for batch in batches)]))
    for batch in batches:
        _fold_batch(stage, held, batch, changes)
    for state in changes.snapshots.values():
        freeze(state)
    if not changes.refused:
        changes.refusals = held.refusals.after_good(changes.folded, held.limits)
        return changes
    offsets = (it.offset for batch in batches for it in batch.records if it.offset >= held.next_offset)
    changes.refusals, excess = count(held.refusals, offsets, set(changes.refused), held.limits)
    if excess is not None:
        changes = fold(stage, held, _before(batches, excess.offset))
        changes.excess = excess
    return changes


def _before(batches: Sequence[Batch], offset: int) -> list[Batch]:
    return [
        replace(batch, records=[it for it in batch.records if it.offset < offset], end=min(batch.end, offset))
        for batch in batches
        if batch.start < offset
    ]


def _fold_batch(stage: Stage[S], held: PartitionState[S], batch: Batch, changes: Changes[S]) -> None:
    """Fold one batch; what every record needs is looked up before the first."""
    position, states, snapshots, newest = held.next_offset, held.states, changes.snapshots, changes.last_logged_at
    deduplicates, seen, apply, folded = stage.deduplicates, changes.seen, stage.apply, 0
    for record in batch.records:
        if record.offset < position:
            continue
        folded += 1
        logged_at = log_time(record.timestamp)
        if newest is None or logged_at > newest:
            newest = logged_at
        event = event_hash(record.key, record.value, record.headers) if deduplicates else None
        if event is not None:
            before = seen.get(event)
            if before is None:
                before = held.seen.last(event)
            seen[event] = record.offset
            if _is_repeat(stage, held, before, record):
                changes.duplicates += 1
                continue
        key = record.key or b""
        latest = snapshots.get(key)
        state = states.get(key) if latest is None else None if isinstance(latest, Tombstone) else latest
        try:
            apply(state, record, logged_at, changes)
        except DecodeError as error:
            _refuse(stage, held, batch, record, event, error, changes)
    changes.folded += folded
    changes.last_logged_at = newest


def _refuse(
    stage: Stage[S],
    held: PartitionState[S],
    batch: Batch,
    record: Record,
    event: int | None,
    error: DecodeError,
    changes: Changes[S],
) -> None:
    """Send a record to dead-letters; its event's id stays free for the same event, mended."""
    changes.refused.append(record.offset)
    changes.outputs.append(_dead_letter(stage, batch, record, error))
    if event is not None and len(held.rejected_with(changes, record.offset)) < MAX_REJECTED:
        del changes.seen[event]
        changes.rejected.append(record.offset)


def _is_repeat(stage: Stage[S], held: PartitionState[S], before: int | None, record: Record) -> bool:
    """Tell whether an event counts no more that was last seen at `before`, if ever."""
    headers = record.headers
    replay = replay_of(headers) if headers and headers[0][0] == REPLAY_OF else None
    if replay is not None:
        if replay.reader != stage.name:
            return True  # it counted here, however long ago; another reader had refused it
        if replay.letter.offset == before:
            return False  # last seen where we refused it ourselves
    return held.seen.reaches(before, record.offset)


def _dead_letter(stage: Stage[S], batch: Batch, record: Record, error: DecodeError) -> Output:
    letter = DeadLetter(
        reason=error.reason,
        detail=error.detail,
        topic=batch.topic,
        partition=batch.partition,
        offset=record.offset,
        reader=stage.name,
        key=record.key,
        value=record.value,
        logged_at_ms=record.timestamp,
        original=record.headers,
    )
    return Output(stage.dead_letters, letter.key, letter.value, letter.headers())


def tick(
    stage: Stage[S], held: PartitionState[S], now: datetime, partition: int, most: int
) -> tuple[Changes[S], list[bytes]]:
    """Collect what is due at `now`, for at most so many keys, and what has to leave to make room.

    Returns:
        The changes, and the keys that came up: they are filed anew after the commit (`PartitionState.refile`), whether
        it went through or not.
    """
    changes: Changes[S] = Changes()
    held.review(stage.policy_revision, _REVIEWED_AT_ONCE)
    came_up = sorted(held.timers.due(now, most))  # by key: what a restart files in another order comes out the same
    for key in came_up:
        state = held.states.get(key)
        if state is not None:
            stage.expire(key, state, Due(now, partition, held.asked.get(key)), changes)
    leaving = held.surplus.decide(held, stage.settled_at, now, _EVICTED_AT_ONCE)
    early = [key for key in leaving.keys if key not in changes.snapshots]
    changes.snapshots.update(dict.fromkeys(early, Tombstone("evicted")))
    changes.evicted_early, changes.excess_bytes = len(early), leaving.excess_bytes
    return changes, came_up
