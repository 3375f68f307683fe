"""Runs without an index by their rows' ids."""

from runledger.sinks.migrate import run_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Drop the index."""
    run_file("0008_row_ids.sql")
