"""Count what a transaction has written, once it has gone through: once for each transaction, never for each record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from runledger.sinks.batch import READER, Batch
from runledger.sinks.records import Record
from runledger.sinks.rows import EVENT_COLUMNS
from runledger.vitals import count, observe
from runledger.vitals.metrics import BATCH_RECORDS, DEAD_LETTERS, RECORDS_READ, ROWS_WRITTEN, VISIBLE_SECONDS

_SAMPLES = 16
"""Events of a transaction whose latency is noted: it costs a microsecond each."""
_OCCURRED_AT, _LOGGED_AT = EVENT_COLUMNS.index("occurred_at"), EVENT_COLUMNS.index("logged_at")


def count_batch(records: Sequence[Record], batch: Batch) -> None:
    """Count a transaction that has just become visible.

    Args:
        records: what was read.
        batch: what came of it.
    """
    if records:
        observe(BATCH_RECORDS, len(records), READER)
    for suffix, read in Counter(record.suffix for record in records).items():
        count(RECORDS_READ, read, suffix)
    written = {
        "run_event": batch.events,
        "agent_run": batch.runs,
        "agent_health": batch.health,
        "agent_run_log": batch.logs,
        "scoring_outbox": batch.jobs,
        "run_failure": batch.failures,
        "incident": batch.incidents,
        "run_score": batch.scores,
    }
    for table, rows in written.items():
        count(ROWS_WRITTEN, len(rows), table)
    for reason, letters in Counter(letter.reason for letter in batch.dead_letters).items():
        count(DEAD_LETTERS, letters, READER, reason)
    _note_latency(batch.events, datetime.now(UTC))


def _note_latency(events: Sequence[tuple[Any, ...]], now: datetime) -> None:
    """Note how long some events took, spread evenly over the transaction; clocks that differ make no time negative."""
    step = max(1, -(-len(events) // _SAMPLES))
    for event in events[::step]:
        observe(VISIBLE_SECONDS, max(0.0, (now - event[_OCCURRED_AT]).total_seconds()), "occurred")
        observe(VISIBLE_SECONDS, max(0.0, (now - event[_LOGGED_AT]).total_seconds()), "logged")
