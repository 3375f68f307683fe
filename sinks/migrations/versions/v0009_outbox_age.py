"""Let readers see how long scoring jobs wait."""

from runledger.sinks.migrate import run_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Grant it."""
    run_file("0009_outbox_age.sql")
