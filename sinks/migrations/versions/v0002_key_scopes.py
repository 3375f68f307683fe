"""What an API key may do, and the default project."""

from runledger.sinks.migrate import run_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column and the row."""
    run_file("0002_key_scopes.sql")
