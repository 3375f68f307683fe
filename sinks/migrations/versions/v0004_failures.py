"""Failure groups get a state."""

from runledger.sinks.migrate import run_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what decides a group's state, and fill it in."""
    run_file("0004_failures.sql")
