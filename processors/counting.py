"""Count what a transaction has done, once it has gone through: once for each transaction, never for each record."""

from __future__ import annotations

from collections import Counter
from typing import Any

from runledger.processors.fold import Stage
from runledger.processors.records import Changes
from runledger.schemas.dead_letters import REASON
from runledger.schemas.outcomes import RunOutcome
from runledger.vitals import count, observe
from runledger.vitals.metrics import (
    BATCH_RECORDS,
    COMMIT_SECONDS,
    COST_USD,
    DEAD_LETTERS,
    DUPLICATES_SKIPPED,
    FINISHED_RUNS,
    RECORDS_READ,
    RECORDS_WRITTEN,
    STATES_EVICTED_EARLY,
    UNPRICED_RUNS,
)


def count_commit(stage: Stage[Any], changes: Changes[Any], seconds: float, prefix: str) -> None:
    """Count a transaction.

    Args:
        stage: whose.
        changes: what it wrote.
        seconds: how long it took.
        prefix: of the topics' names.
    """
    observe(COMMIT_SECONDS, seconds, stage.name)
    if changes.folded:
        observe(BATCH_RECORDS, changes.folded, stage.name)
        count(RECORDS_READ, changes.folded, stage.source.removeprefix(prefix))
    count(RECORDS_WRITTEN, len(changes.snapshots), stage.changelog.removeprefix(prefix))
    for topic, records in Counter(output.topic for output in changes.outputs).items():
        count(RECORDS_WRITTEN, records, topic.removeprefix(prefix))
    count(DUPLICATES_SKIPPED, changes.duplicates, stage.name)
    count(STATES_EVICTED_EARLY, changes.evicted_early, stage.name)
    if changes.refused:
        letters = (dict(output.headers) for output in changes.outputs if output.topic == stage.dead_letters)
        for reason, refused in Counter(bytes(headers[REASON]).decode() for headers in letters).items():
            count(DEAD_LETTERS, refused, stage.name, reason)
    _count_finished(changes.finished)


def _count_finished(outcomes: list[RunOutcome]) -> None:
    for (status, cost), runs in Counter((it.status, it.cost_source) for it in outcomes).items():
        count(FINISHED_RUNS, runs, status, cost)
    cost_usd: dict[str, float] = {}
    unpriced = 0
    for outcome in outcomes:
        usage = outcome.usage
        if usage.cost_usd is None:
            unpriced += bool(outcome.models and usage.total_tokens)
        elif outcome.revision == 1:
            cost_usd[outcome.cost_source] = cost_usd.get(outcome.cost_source, 0.0) + float(usage.cost_usd)
    for source, usd in cost_usd.items():
        count(COST_USD, usd, source)
    count(UNPRICED_RUNS, unpriced)
