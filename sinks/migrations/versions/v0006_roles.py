"""A role for each kind of work."""

from runledger.sinks.migrate import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the roles, and let each do its work."""
    run_file("0006_roles.sql")
