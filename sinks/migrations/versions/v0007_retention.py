"""What is left of runs that were pruned, and where refused events stood."""

from runledger.sinks.migrate import run_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables, the view and the function, and let the sink's role use them."""
    run_file("0007_retention.sql")
