"""Make the views for analysts."""

from runledger.sinks.migrate import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make them."""
    run_file("0010_analyst_views.sql")
