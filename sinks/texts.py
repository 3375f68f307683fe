"""A batch's rows as the text of its COPYs: written ahead, while the database writes the batch before."""

from __future__ import annotations

from dataclasses import dataclass

from runledger.sinks.batch import Batch
from runledger.sinks.copying import copy_text


@dataclass(frozen=True, slots=True)
class Texts:
    """Rows of one batch as COPY reads them; empty where there are none.

    Args:
        events: of run_event.
        runs: of agent_run, waiting in incoming_run.
        logs: of agent_run_log and scoring_outbox, waiting in incoming_log.
    """

    events: bytes
    runs: bytes
    logs: bytes


def texts_of(batch: Batch) -> Texts:
    """Write the rows of a batch.

    Raises:
        psycopg.DataError: a text cannot be sent.
    """
    logs = [(*row.values(), *batch.jobs[key].values()) for key, row in batch.logs.items()]
    return Texts(copy_text(batch.events), copy_text([run.values() for run in batch.runs.values()]), copy_text(logs))
