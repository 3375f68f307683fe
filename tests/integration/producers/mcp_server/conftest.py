"""Topics, tables and keys of a test's own, and a server that several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from tests.integration.producers.mcp_server.serving import Served, served
from tests.servers import own_database, own_topics


@pytest.fixture
def settings(topics: ConnectionSettings, database: str) -> ConnectionSettings:
    """Topics and migrated tables."""
    migrate(database)
    return topics.model_copy(update={"postgres": database})


@pytest.fixture(scope="module")
def shared(servers: tuple[str, str]) -> Iterator[ConnectionSettings]:
    """Topics and migrated tables of a module's tests."""
    with own_topics(*servers) as topics, own_database(servers[1]) as uri:
        migrate(uri)
        yield topics.model_copy(update={"postgres": uri})


@pytest.fixture(scope="module")
def server(shared: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on these: to start one takes seconds."""
    with served(shared, tmp_path_factory.mktemp("mcp")) as running:
        yield running
