"""Say of every column what it holds."""

from runledger.sinks.migrate import run_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Write the comments that were missing."""
    run_file("0011_comments.sql")
