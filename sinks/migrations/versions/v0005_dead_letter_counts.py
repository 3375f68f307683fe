"""Counts of dead letters beside the positions."""

from runledger.sinks.migrate import run_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the counts to each position."""
    run_file("0005_dead_letter_counts.sql")
