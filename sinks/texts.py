"""A batch's rows as the text of its COPYs: written ahead, while the database writes the batch before."""

from __future__ import annotations

from dataclasses import dataclass

from runledger.sinks import rows
from runledger.sinks.batch import Batch
from runledger.sinks.copying import copy_lines, copy_text


@dataclass(frozen=True, slots=True)
class Texts:
    """Rows of one batch as COPY reads them.

    Args:
        events: of run_event; empty where there are none.
        runs: lines of agent_run, in the order of the batch's runs.
        logs: lines of agent_run_log, in the order of the batch's logs.
        jobs: lines of scoring_outbox, in the same order.
    """

    events: bytes
    runs: list[str]
    logs: list[str]
    jobs: list[str]


def texts_of(batch: Batch) -> Texts:
    """Write the rows of a batch.

    Raises:
        psycopg.DataError: a value cannot be sent.
    """
    return Texts(
        events=copy_text(batch.events, rows.PLAIN_EVENT_COLUMNS),
        runs=copy_lines([rows.run_row(run) for run in batch.runs.values()], rows.PLAIN_RUN_COLUMNS),
        logs=copy_lines([rows.log_row(log) for log in batch.logs.values()], rows.PLAIN_LOG_COLUMNS),
        jobs=copy_lines([batch.jobs[row] for row in batch.logs], rows.PLAIN_JOB_COLUMNS),
    )
