"""Rows of a batch in tables as they were before later migrations."""

from __future__ import annotations

from typing import Any

import psycopg

from runledger.sinks.batch import Batch
from runledger.sinks.copying import copy_text
from runledger.sinks.loading import load
from runledger.sinks.rows import RUN_COLUMNS, run_row


def load_runs(connection: psycopg.Connection[Any], batch: Batch) -> None:
    """Insert the runs of a batch, with the columns that agent_run has."""
    query = "SELECT attname FROM pg_attribute WHERE attrelid = 'agent_run'::regclass AND attnum > 0"
    held = {name for (name,) in connection.execute(query)}
    columns = tuple(name for name in RUN_COLUMNS if name in held)
    rows = [dict(zip(RUN_COLUMNS, run_row(run), strict=True)) for run in batch.runs.values()]
    load(connection, "agent_run", columns, copy_text([tuple(row[name] for name in columns) for row in rows]))
