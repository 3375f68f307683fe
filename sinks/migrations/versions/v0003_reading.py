"""What readers need."""

from runledger.sinks.migrate import run_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add tables, columns, indexes and the reading role."""
    run_file("0003_reading.sql")
