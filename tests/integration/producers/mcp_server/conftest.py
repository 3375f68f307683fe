"""Topics, tables and keys of a test's own."""

from __future__ import annotations

import pytest

from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate


@pytest.fixture
def settings(topics: ConnectionSettings, database: str) -> ConnectionSettings:
    """Topics and migrated tables."""
    migrate(database)
    return topics.model_copy(update={"postgres": database})
